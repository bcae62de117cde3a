package picture

import (
	"bufio"
	"image"
	"image/gif"
	"io"
)

// gifConfig has the page's size: the first picture may be smaller.
func gifConfig(r io.Reader) (image.Config, error) { return gif.DecodeConfig(r) }

// decodeGIF gives the first picture, on a page of the size that the head tells.
func decodeGIF(r io.ReadSeeker) (image.Image, error) {
	c, err := buffered(gifConfig)(r)
	if err != nil {
		return nil, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	frame, err := buffered(gif.Decode)(r) // it lies within the page, or is an error
	if err != nil {
		return nil, err
	}
	return laid(frame, image.Rect(0, 0, c.Width, c.Height), frame.Bounds().Min), nil
}

// gifMeta looks for a second picture.
//
// The format: after 13 bytes and a table of colours come blocks. A picture has 9 bytes, perhaps
// a table of its own, and a byte; an extension has a byte; both go on with parts that begin
// with their length, of which the last is 0.
func gifMeta(r io.ReadSeeker) meta {
	m := meta{stored: upright}
	in := bufio.NewReaderSize(r, 16<<10)
	skip := func(n int) bool {
		_, err := in.Discard(n)
		return err == nil
	}
	table := func(flags byte) int {
		if flags&0x80 == 0 {
			return 0
		}
		return 3 << (flags&7 + 1)
	}
	parts := func() bool {
		for {
			n, err := in.ReadByte()
			if err != nil || n == 0 {
				return err == nil
			}
			if !skip(int(n)) {
				return false
			}
		}
	}
	var head [13]byte
	if _, err := io.ReadFull(in, head[:]); err != nil || !skip(table(head[10])) {
		return m
	}
	for pictures := 0; ; {
		kind, err := in.ReadByte()
		if err != nil {
			return m
		}
		switch kind {
		case ',':
			if pictures++; pictures > 1 {
				m.more = true
				return m
			}
			var frame [9]byte
			if _, err := io.ReadFull(in, frame[:]); err != nil || !skip(table(frame[8])+1) {
				return m
			}
		case '!':
			if !skip(1) {
				return m
			}
		default: // ';', the end
			return m
		}
		if !parts() {
			return m
		}
	}
}
