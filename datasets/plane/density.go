package plane

import (
	"errors"
	"image"
	"image/color"
	"image/draw"
	"math"
	"sync"
)

// pictureDensity is a picture as a density: a Gaussian of half a pixel's deviation
// stands on every pixel, as high as the pixel is dark.
type pictureDensity struct {
	width, height  int
	weight         []float32 // [H,W], their sum is 1
	left, top      float64   // the centre of the first pixel
	pitchX, pitchY float64   // from pixel to pixel; rows go downwards
	table          aliasTable

	entropyOnce sync.Once
	entropyNats float64
}

const (
	halfPixel = 0.5 // deviation of the jitter, in pixels
	jitterEnd = 4   // pixels to where it is as good as nothing: 8 deviations
	// blank is the shade up to which a pixel counts as paper: the noise that JPEG
	// leaves around a drawing must not become a haze of points.
	blank = 5
)

var errBlank = errors.New("it is all white: there is nothing to draw points from")

// newPictureDensity takes shades, [H,W], 0 for white and 255 for black. The longer side
// spans [-4,4] from centre to centre of its outermost pixels.
func newPictureDensity(shades []uint8, width, height int) (*pictureDensity, error) {
	sum := 0.0
	for _, s := range shades {
		if s > blank {
			sum += float64(s)
		}
	}
	if sum == 0 {
		return nil, errBlank
	}
	d := &pictureDensity{width: width, height: height, weight: make([]float32, len(shades))}
	for i, s := range shades {
		if s > blank {
			d.weight[i] = float32(float64(s) / sum)
		}
	}
	pitch := 8 / float64(max(1, max(width, height)-1))
	d.pitchX, d.pitchY = pitch, pitch
	d.left, d.top = -pitch*float64(width-1)/2, pitch*float64(height-1)/2
	d.table = newAliasTable(d.weight)
	return d, nil
}

func (p *pictureDensity) set() *Set {
	return &Set{sample: p.sample, logDensity: p.logDensity, entropy: p.entropy}
}

func (p *pictureDensity) sample(dst []float32, key uint64, first int64) {
	z := gauss()
	width := uint32(p.width)
	for i := 0; i < len(dst); i, first = i+2, first+1 {
		d := drawsOf(key, first)
		at := p.table.draw(&d)
		row := at / width
		column := at - row*width
		dst[i] = float32(p.left + p.pitchX*(float64(column)+halfPixel*z.normal(&d)))
		dst[i+1] = float32(p.top - p.pitchY*(float64(row)+halfPixel*z.normal(&d)))
	}
}

func (p *pictureDensity) logDensity(x, y float64) float64 {
	column, row := (x-p.left)/p.pitchX, (p.top-y)/p.pitchY
	if !(math.Abs(column) < 1e9 && math.Abs(row) < 1e9) {
		return math.Inf(-1)
	}
	c0, r0 := int(math.Ceil(column))-jitterEnd, int(math.Ceil(row))-jitterEnd
	across, down := jitter(column-float64(c0)), jitter(row-float64(r0))
	sum := 0.0
	for j, wy := range down {
		r := r0 + j
		if r < 0 || r >= p.height {
			continue
		}
		line := p.weight[r*p.width : (r+1)*p.width]
		part := 0.0
		for i, wx := range across {
			if c := c0 + i; c >= 0 && c < p.width {
				part += wx * float64(line[c])
			}
		}
		sum += wy * part
	}
	return math.Log(sum / (p.pitchX * p.pitchY))
}

// jitter is the density of the jitter, in pixels, at at, at-1, at-2, ...
func jitter(at float64) (w [2*jitterEnd + 1]float64) {
	for k := range w {
		z := (at - float64(k)) / halfPixel
		w[k] = math.Exp(-z*z/2) / (math.Sqrt(2*math.Pi) * halfPixel)
	}
	return w
}

// entropy is a sum over four by four places in every pixel and around the picture: at
// half a deviation apart the sum is as good as the integral.
func (p *pictureDensity) entropy() float64 {
	p.entropyOnce.Do(func() {
		const parts = 4
		var kernels [parts][2*jitterEnd + 1]float64
		for k := range kernels {
			kernels[k] = jitter(jitterEnd + float64(k)/parts)
		}
		wide := p.width + 2*jitterEnd
		blurred := make([]float64, p.height*wide) // along the rows
		line := make([]float64, wide)
		sum := 0.0
		for kx := range parts {
			clear(blurred)
			for j := range p.height {
				blurLine(blurred[j*wide:(j+1)*wide], p.weight[j*p.width:(j+1)*p.width], &kernels[kx])
			}
			for ky := range parts {
				for row := -jitterEnd; row < p.height+jitterEnd; row++ {
					clear(line)
					for m, w := range kernels[ky] {
						if j := row - jitterEnd + m; j >= 0 && j < p.height {
							for i, v := range blurred[j*wide : (j+1)*wide] {
								line[i] += w * v
							}
						}
					}
					for _, v := range line {
						if v > 0 {
							sum -= v * math.Log(v)
						}
					}
				}
			}
		}
		p.entropyNats = sum/(parts*parts) + math.Log(p.pitchX*p.pitchY)
	})
	return p.entropyNats
}

// blurLine spreads each of a line's weights over the nine places around it.
func blurLine(dst []float64, line []float32, kernel *[2*jitterEnd + 1]float64) {
	for i, w := range line {
		if w == 0 {
			continue
		}
		for k, g := range kernel {
			dst[i+2*jitterEnd-k] += g * float64(w)
		}
	}
}

// shadesOf is a picture in shades of grey, [H,W]: 0 for white and 255 for black. What is
// transparent is white.
func shadesOf(img image.Image) []uint8 {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	shades := make([]uint8, 0, w*h)
	line := image.NewRGBA(image.Rect(0, 0, w, 1))
	for y := range h { // draw has fast ways for every kind of picture; At has none
		draw.Draw(line, line.Rect, image.White, image.Point{}, draw.Src)
		draw.Draw(line, line.Rect, img, image.Pt(b.Min.X, b.Min.Y+y), draw.Over)
		for x := range w {
			px := line.Pix[4*x : 4*x+3]
			luma := color.GrayModel.Convert(color.RGBA{px[0], px[1], px[2], 255}).(color.Gray)
			shades = append(shades, 255-luma.Y)
		}
	}
	return shades
}
