package datasets

import (
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // the kinds of picture that are read
	_ "image/png"
	"io"
	"strings"
)

const (
	largestPicture = 64 << 20 // pixels that are decoded
	// densityPixels is how many pixels a density has at most. No network sees more
	// than that, and the table to draw from stays near the processor.
	densityPixels = 1 << 20
)

// openPicture opens image:FILE.
func openPicture(info Info, _ Options) (*Set2D, error) {
	_, path, _ := strings.Cut(info.Name, ":")
	fail := func(fault, remedy string, err error) (*Set2D, error) {
		return nil, &FileError{Set: "image", File: path, Fault: fault, Remedy: remedy, Err: err}
	}
	f, size, err := openRegular(path)
	if absent(err) {
		return fail("not found", "check the path", err)
	}
	if err != nil {
		return fail(plainCause(err), "make it a readable file", err)
	}
	defer f.Close()

	const remedy = "save it as PNG or JPEG"
	config, kind, err := image.DecodeConfig(f)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	switch {
	case err != nil:
		return fail("not a picture that can be read: "+plainCause(err), remedy, err)
	case kind != "png" && kind != "jpeg":
		return fail("a picture of kind "+kind, remedy, nil)
	case config.Width < 1 || config.Height < 1:
		return fail(fmt.Sprintf("%dx%d pixels", config.Width, config.Height), remedy, nil)
	case int64(config.Width)*int64(config.Height) > largestPicture:
		return fail(fmt.Sprintf("%dx%d pixels: at most %d million are read", config.Width, config.Height, largestPicture>>20),
			"make it smaller: 1000x1000 show all that a flow can learn", nil)
	}
	if pixels, deep := int64(config.Width)*int64(config.Height), bytesOf(config.ColorModel); pixels*deep > 4*largestPicture {
		return fail(fmt.Sprintf("%dx%d pixels of %d bytes", config.Width, config.Height, deep), "save it with 8 bits a colour, or make it smaller", nil)
	}
	if exact, err := kindOf(f); err != nil || int64(config.Width)*int64(config.Height) > exact.most(config.ColorModel, size) {
		return fail(fmt.Sprintf("it claims %dx%d pixels, which %d bytes cannot hold", config.Width, config.Height, size), replaceIt, err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fail(plainCause(err), "make it a readable file", err)
	}
	img, err := decodePicture(f)
	if err != nil {
		return fail(plainCause(err), replaceIt, err)
	}
	if got := img.Bounds().Size(); got != image.Pt(config.Width, config.Height) {
		return fail(fmt.Sprintf("%v pixels where its head says %dx%d", got, config.Width, config.Height), replaceIt, nil)
	}
	shades, w, h := shrink(shadesOf(img), config.Width, config.Height, densityPixels)
	d, err := newPictureDensity(shades, w, h)
	if err != nil {
		return fail(err.Error(), "draw in dark on white", err)
	}
	s := d.set()
	s.Info = info
	s.Data = fingerprint([]int{w, h}, shades)
	if m := meanShade(shades); m > mostlyDark*255 {
		s.notes = append(s.notes, fmt.Sprintf("%s is dark on %.0f %% of its area, and dark is where points fall: if it shows something light on dark, invert it",
			path, 100*m/255))
	}
	return s, nil
}

// decodePicture turns a panic of a decoder into an error.
func decodePicture(r io.Reader) (img image.Image, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the decoder failed: %v", v)
		}
	}()
	img, _, err = image.Decode(r)
	return img, err
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
