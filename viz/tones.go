package viz

import "image/color"

// Slack: how far a pixel may be from the colour that is shown before it gets a new
// one. Half a step is where rounding alone would change it.
const (
	greySlack   = 6   // of 255; half a step of the 63 greys is 2
	colourSlack = 360 // of distance(), beyond the nearest colour's: 6 of 255 in each channel
)

// tones turns a sample's pixels into indices of the palette.
type tones interface {
	// index is the colour of one pixel of a plane. shown is the index that it has
	// now, kept while it is near enough; 0 asks for the nearest.
	index(levels []uint8, pixel, plane int, shown uint8) uint8
}

// filmPalette chooses the colours of a clip by its first and its final samples.
func filmPalette(final, first Pictures, layout Layout) (color.Palette, tones) {
	if final.Shape[0] == 1 {
		return greyPalette(), greyTones{}
	}
	// What stays on the screen counts three times as much as noise.
	pixels := samplePixels(nil, final, layout, 45_000)
	pixels = samplePixels(pixels, first, layout, 15_000)
	palette := colourPalette(pixels)
	return palette, colourTones{newQuantiser(palette, firstHue)}
}

// samplePixels appends about limit pixels of the samples shown, evenly spread.
func samplePixels(pixels []rgb, p Pictures, layout Layout, limit int) []rgb {
	plane := p.Shape[1] * p.Shape[2]
	columns, rows := layout.size()
	stride := max(1, columns*rows*plane/limit)
	tile := make([]uint8, p.dim())
	skip := 0
	for _, column := range layout.Columns {
		for _, i := range column {
			p.levels(tile, i)
			for ; skip < plane; skip += stride {
				pixels = append(pixels, rgb{tile[skip], tile[plane+skip], tile[2*plane+skip]})
			}
			skip -= plane
		}
	}
	return pixels
}

type greyTones struct{}

func (greyTones) index(levels []uint8, pixel, _ int, shown uint8) uint8 {
	v := int(levels[pixel])
	if shown != 0 {
		if off := v - (int(shown)-1)*255/(greyLevels-1); -greySlack <= off && off <= greySlack {
			return shown
		}
	}
	return uint8(1 + (v*(greyLevels-1)+127)/255)
}

type colourTones struct{ q *quantiser }

func (t colourTones) index(levels []uint8, pixel, plane int, shown uint8) uint8 {
	c := rgb{levels[pixel], levels[plane+pixel], levels[2*plane+pixel]}
	near := t.q.nearest(c)
	if shown != 0 && distance(c, t.q.colour(shown)) <= distance(c, t.q.colour(near))+colourSlack {
		return shown
	}
	return near
}
