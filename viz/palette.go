package viz

import (
	"image/color"
	"math"
	"slices"
)

// A clip's palette begins with the transparent colour and the greys of the page
// and its text; the samples' colours follow.
const (
	pageGreys = 8
	firstHue  = 1 + pageGreys
)

// greyLevels is the number of greys in a clip of one channel: with the transparent
// one they fill six bits. More cannot be told apart in noise and make it larger.
const greyLevels = 63

// greyPalette is transparent, then black to white in even steps.
func greyPalette() color.Palette {
	p := color.Palette{color.RGBA{}}
	for i := range greyLevels {
		p = append(p, color.Gray{Y: uint8((i*255 + (greyLevels-1)/2) / (greyLevels - 1))})
	}
	return p
}

// rgb is a colour of a sample.
type rgb [3]uint8

// colourPalette is transparent, the page's greys, and up to 247 colours for the
// given pixels by median cut (Heckbert 1982): the box of colours that spreads
// furthest, weighed by its pixels, is cut at its median until there are enough, and
// each box gives its mean. It reorders the pixels.
func colourPalette(pixels []rgb) color.Palette {
	p := color.Palette{color.RGBA{}}
	for i := range pageGreys {
		p = append(p, color.Gray{Y: uint8(i * 255 / (pageGreys - 1))})
	}
	for _, c := range medianCut(pixels, 256-len(p)) {
		p = append(p, color.RGBA{c[0], c[1], c[2], 255})
	}
	return p
}

func medianCut(pixels []rgb, n int) []rgb {
	if len(pixels) == 0 {
		return nil
	}
	boxes := []colourBox{newColourBox(pixels)}
	for len(boxes) < n {
		widest := 0
		for i, b := range boxes {
			if b.worth > boxes[widest].worth {
				widest = i
			}
		}
		if boxes[widest].worth == 0 {
			break // every box is one colour
		}
		a, b := boxes[widest].cut()
		boxes[widest] = a
		boxes = append(boxes, b)
	}
	means := make([]rgb, len(boxes))
	for i, b := range boxes {
		means[i] = b.mean()
	}
	return means
}

type colourBox struct {
	pixels []rgb
	axis   int     // the channel in which they spread furthest
	worth  float64 // of cutting it: the spread, times the root of the count
}

func newColourBox(pixels []rgb) colourBox {
	lo, hi := pixels[0], pixels[0]
	for _, p := range pixels {
		for c := range 3 {
			lo[c], hi[c] = min(lo[c], p[c]), max(hi[c], p[c])
		}
	}
	b := colourBox{pixels: pixels}
	for c := range 3 {
		if hi[c]-lo[c] > hi[b.axis]-lo[b.axis] {
			b.axis = c
		}
	}
	b.worth = float64(hi[b.axis]-lo[b.axis]) * math.Sqrt(float64(len(pixels)))
	return b
}

func (b colourBox) cut() (colourBox, colourBox) {
	slices.SortFunc(b.pixels, func(p, q rgb) int { return int(p[b.axis]) - int(q[b.axis]) })
	at := len(b.pixels) / 2
	// The cut must part two values, or a box of one colour and a few others would
	// never shrink.
	middle := b.pixels[at][b.axis]
	first, _ := slices.BinarySearchFunc(b.pixels, middle, func(p rgb, v uint8) int { return int(p[b.axis]) - int(v) })
	if first > 0 {
		at = first
	} else {
		at, _ = slices.BinarySearchFunc(b.pixels, int(middle)+1, func(p rgb, v int) int { return int(p[b.axis]) - v })
	}
	return newColourBox(b.pixels[:at]), newColourBox(b.pixels[at:])
}

func (b colourBox) mean() rgb {
	var sum [3]int
	for _, p := range b.pixels {
		for c := range 3 {
			sum[c] += int(p[c])
		}
	}
	var m rgb
	for c := range 3 {
		m[c] = uint8((sum[c] + len(b.pixels)/2) / len(b.pixels))
	}
	return m
}

// quantiser finds the palette's nearest colour, from a table that fills as colours
// are met: 32 steps a channel are finer than the palette is.
type quantiser struct {
	palette []rgb // the samples' colours, without transparent and page
	first   int   // the index of the first of them
	table   [1 << 15]uint8
}

func newQuantiser(p color.Palette, first int) *quantiser {
	q := &quantiser{first: first}
	for _, c := range p[first:] {
		v := color.RGBAModel.Convert(c).(color.RGBA)
		q.palette = append(q.palette, rgb{v.R, v.G, v.B})
	}
	return q
}

func (q *quantiser) nearest(c rgb) uint8 {
	key := int(c[0]>>3)<<10 | int(c[1]>>3)<<5 | int(c[2]>>3)
	if q.table[key] == 0 {
		middle := rgb{c[0]&^7 | 4, c[1]&^7 | 4, c[2]&^7 | 4}
		best, least := 0, 1<<30
		for i, p := range q.palette {
			if d := distance(middle, p); d < least {
				best, least = i, d
			}
		}
		q.table[key] = uint8(q.first + best)
	}
	return q.table[key]
}

func (q *quantiser) colour(index uint8) rgb { return q.palette[int(index)-q.first] }

// distance is squared, with the eye's weights for red, green and blue.
func distance(a, b rgb) int {
	r, g, bl := int(a[0])-int(b[0]), int(a[1])-int(b[1]), int(a[2])-int(b[2])
	return 3*r*r + 6*g*g + bl*bl
}
