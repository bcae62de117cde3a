package picture

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
)

// meta is what a picture's file says beside its pixels.
type meta struct {
	stored  Orientation
	profile bool // it has a colour profile that is not sRGB's
	more    bool // there are more pictures in it than the first
}

// profileLargest is how much of a colour profile is looked at.
const profileLargest = 1 << 20

// isSRGB tells whether a colour profile names itself so, in ASCII or UTF-16.
func isSRGB(profile []byte) bool {
	return bytes.Contains(profile, []byte("sRGB")) || bytes.Contains(profile, []byte("s\x00R\x00G\x00B"))
}

// jpegMeta reads a JPEG's segments up to its pixels. What is damaged ends it: the
// decoder will say so, or do without.
//
// The format: FF and a letter start each segment, a length of two bytes that counts
// itself follows. EXIF and colour profiles are application segments that begin with
// their names.
func jpegMeta(r io.ReadSeeker) meta {
	m := meta{stored: upright}
	in := bufio.NewReaderSize(r, 4<<10)
	if _, err := in.Discard(2); err != nil {
		return m
	}
	seenEXIF, seenProfile := false, false
	for {
		letter, err := jpegMarker(in)
		if err != nil || letter == 0xd9 || letter == 0xda { // the end, or the pixels
			return m
		}
		if letter == 0x01 || letter >= 0xd0 && letter <= 0xd7 { // these have no length
			continue
		}
		var length [2]byte
		if _, err := io.ReadFull(in, length[:]); err != nil {
			return m
		}
		n := int(binary.BigEndian.Uint16(length[:])) - 2
		if n < 0 {
			return m
		}
		if letter != 0xe1 && letter != 0xe2 {
			if _, err := in.Discard(n); err != nil {
				return m
			}
			continue
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(in, body); err != nil {
			return m
		}
		if exif, ok := bytes.CutPrefix(body, []byte("Exif\x00\x00")); ok && letter == 0xe1 && !seenEXIF {
			seenEXIF = true
			m.stored = exifOrientation(exif)
		}
		if icc, ok := bytes.CutPrefix(body, []byte("ICC_PROFILE\x00")); ok && letter == 0xe2 && !seenProfile {
			seenProfile = true
			m.profile = !isSRGB(icc)
		}
	}
}

// jpegMarker is the letter of the next segment.
func jpegMarker(in *bufio.Reader) (byte, error) {
	b, err := in.ReadByte()
	if err != nil || b != 0xff {
		return 0xda, err
	}
	for b == 0xff && err == nil { // any number of FF may stand before it
		b, err = in.ReadByte()
	}
	return b, err
}

// pngMeta reads the heads of a PNG's chunks, and those that it needs.
//
// The format: after 8 bytes come chunks of a length, a name of four letters, so many
// bytes and a checksum, which the decoder checks.
func pngMeta(r io.ReadSeeker) meta {
	m := meta{stored: upright}
	if _, err := r.Seek(8, io.SeekStart); err != nil {
		return m
	}
	for {
		var head [8]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return m
		}
		length := int64(binary.BigEndian.Uint32(head[:]))
		read := int64(0)
		part := func(largest int64) []byte {
			body, _ := io.ReadAll(io.LimitReader(r, min(length, largest)))
			read = int64(len(body))
			return body
		}
		switch string(head[4:]) {
		case "IEND":
			return m
		case "eXIf":
			m.stored = exifOrientation(part(exifLargest))
		case "iCCP":
			m.profile = !isSRGB(pngProfile(part(profileLargest)))
		case "acTL":
			if frames := part(4); len(frames) == 4 {
				m.more = binary.BigEndian.Uint32(frames) > 1
			}
		}
		if _, err := r.Seek(length-read+4, io.SeekCurrent); err != nil {
			return m
		}
	}
}

// pngProfile is a colour profile with its name before it: name, 0, 0, and what zlib
// unpacks.
func pngProfile(chunk []byte) []byte {
	name, rest, ok := bytes.Cut(chunk, []byte{0})
	if !ok || len(rest) < 2 {
		return chunk
	}
	z, err := zlib.NewReader(bytes.NewReader(rest[1:]))
	if err != nil {
		return name
	}
	profile, _ := io.ReadAll(io.LimitReader(z, profileLargest))
	return append(profile, name...)
}
