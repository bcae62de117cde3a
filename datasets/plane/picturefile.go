package plane

import (
	"errors"
	"fmt"
	"image/color"
	"io"

	"flowmatch/datasets/picture"
	"flowmatch/datasets/set"
)

// densityPixels is how many pixels a density has at most. No network sees more than
// that, and the table to draw from stays near the processor.
const densityPixels = 1 << 20

// openPicture opens image:FILE.
func openPicture(info set.Info, _ *framed) (*Set, error) {
	own := ownFileOf(info)
	f, size, err := own.open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	shades, w, h, done, err := readShades(f, size)
	var bad *picture.Error
	if errors.As(err, &bad) {
		return nil, own.fault(bad.Fault, set.Remedy(bad.Remedy), err)
	}
	shades, w, h = shrink(shades, w, h, densityPixels)
	d, err := newPictureDensity(shades, w, h)
	if err != nil {
		return nil, own.fault(err.Error(), "draw in dark on white", err)
	}
	s := d.set()
	s.Info = info
	s.Data = fingerprint([]int{w, h}, shades)
	if done != 0 {
		s.notes = append(s.notes, own.path+" "+done.String())
	}
	if m := meanShade(shades); m > mostlyDark*255 {
		s.notes = append(s.notes, fmt.Sprintf("%s is dark on %.0f %% of its area, and dark is where points fall: if it shows something light on dark, invert it",
			own.path, 100*m/255))
	}
	return s, nil
}

// readShades reads a picture upright in shades of grey, [h,w]. Its error is a
// *picture.Error.
func readShades(r io.ReadSeeker, size int64) (shades []uint8, w, h int, done picture.Treatment, err error) {
	p, err := picture.ReadHead(r, size)
	if err != nil {
		return nil, 0, 0, 0, err
	}
	if deep := bytesOf(p.ColorModel); p.Pixels()*deep > 4*picture.Largest {
		return nil, 0, 0, 0, &picture.Error{
			Fault: fmt.Sprintf("%dx%d pixels of %d bytes", p.Width, p.Height, deep), Remedy: "save it with 8 bits a colour, or make it smaller"}
	}
	img, done, err := p.Decode()
	if err != nil {
		return nil, 0, 0, 0, err
	}
	shades, w, h = p.Stored.Turn(shadesOf(img), p.Width, p.Height)
	return shades, w, h, done, nil
}

// bytesOf is how much memory a decoded pixel takes.
func bytesOf(m color.Model) int64 {
	switch m {
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	case color.Gray16Model:
		return 2
	case color.GrayModel:
		return 1
	}
	return 4
}

// mostlyDark is the mean shade above which a picture is probably the wrong way round.
const mostlyDark = 0.7

func meanShade(shades []uint8) float64 {
	sum := 0
	for _, s := range shades {
		sum += int(s)
	}
	return float64(sum) / float64(len(shades))
}

// shrink averages whole blocks of shades, [H,W], until at most limit pixels are left.
// Blocks at the right and lower rim may be cut.
func shrink(shades []uint8, w, h, limit int) ([]uint8, int, int) {
	block := 1
	parts := func(n int) int { return (n + block - 1) / block }
	for parts(w)*parts(h) > limit {
		block++
	}
	if block == 1 {
		return shades, w, h
	}
	small := make([]uint8, 0, parts(w)*parts(h))
	for y := 0; y < h; y += block {
		for x := 0; x < w; x += block {
			sum := 0
			for j := y; j < min(y+block, h); j++ {
				for _, s := range shades[j*w+x : j*w+min(x+block, w)] {
					sum += int(s)
				}
			}
			// A cut block holds less of the page, and so less of the weight.
			small = append(small, uint8((sum+block*block/2)/(block*block)))
		}
	}
	return small, parts(w), parts(h)
}
