package snapshots

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"
	"iter"
	"path/filepath"

	"github.com/wangkuiyi/gotorch/atomicfile"
	"github.com/wangkuiyi/gotorch/disk"

	"flowmatch/trainer"
	"flowmatch/viz"
)

// mostFrames is more than anybody looks at.
const mostFrames = 200

// Film writes progress.gif of the pictures that are there and gives its path, "" where
// there are fewer than two.
func (o *Observer) Film() (string, error) {
	var steps []int
	err := o.held()
	if err == nil {
		steps, err = o.steps()
	}
	if err != nil {
		return "", fmt.Errorf("%s was not written: %w", FilmFile, err)
	}
	steps = readable(thinned(steps, mostFrames), o.path)
	if len(steps) < 2 {
		return "", nil
	}
	path := filepath.Join(o.Run, FilmFile)
	err = atomicfile.Replace(path, func(w io.Writer) error {
		return viz.SlidesGIF(w, o.pages(steps), viz.SlidesConfig{})
	})
	if err != nil {
		return "", fmt.Errorf("%s was not written: %w", path, err)
	}
	return path, nil
}

// thinned is at most so many of the steps, evenly spread, with the last.
func thinned(steps []int, most int) []int {
	if len(steps) <= most {
		return steps
	}
	out := make([]int, most)
	for i := range out {
		out[i] = steps[i*(len(steps)-1)/(most-1)]
	}
	return out
}

// readable are the steps of pictures that are whole and no larger than ours.
func readable(steps []int, path func(int) string) []int {
	var out []int
	for _, step := range steps {
		if b, err := read(path(step)); err == nil && sizeOf(b) != (image.Point{}) {
			out = append(out, step)
		}
	}
	return out
}

func (o *Observer) pages(steps []int) iter.Seq2[image.Image, error] {
	return func(yield func(image.Image, error) bool) {
		for _, step := range steps {
			b, err := read(o.path(step))
			if err != nil {
				yield(nil, err)
				return
			}
			page, err := png.Decode(bytes.NewReader(b))
			if err != nil {
				err = fmt.Errorf("%s: %w", o.path(step), err)
			}
			if !yield(page, err) {
				return
			}
		}
	}
}

// Earlier gives the pictures of steps after one, up to another: what TensorBoard's files
// do not have yet.
func (o *Observer) Earlier(after, upto int) []trainer.Picture {
	steps, _ := o.steps() // Start has told
	var all []trainer.Picture
	for _, step := range steps {
		if step <= after || step > upto {
			continue
		}
		b, err := read(o.path(step))
		if size := sizeOf(b); err == nil && size != (image.Point{}) {
			all = append(all, trainer.Picture{Step: step, Tag: Tag, PNG: b, Size: size})
		}
	}
	return all
}

// Pictures are larger neither on the disk nor on the page.
const (
	largestFile = 32 << 20
	largestPage = 16 << 20 // pixels
)

func read(path string) ([]byte, error) {
	f, size, err := disk.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > largestFile {
		return nil, fmt.Errorf("%s has %d bytes: no picture of ours", path, size)
	}
	return io.ReadAll(f)
}

// sizeOf is a picture's size, (0,0) of what is none of ours.
func sizeOf(b []byte) image.Point {
	c, err := png.DecodeConfig(bytes.NewReader(b))
	if err != nil || c.Width*c.Height > largestPage {
		return image.Point{}
	}
	return image.Pt(c.Width, c.Height)
}
