package datasets

import "image"

// boxed shrinks a large photograph's square before the fine scaling, which touches
// each pixel several times: whole blocks of k x k samples become their mean, in the
// planes as JPEG has them, so long as three pixels are left for one of the result.
// Pictures of other kinds stay as they are. Blocks are not cut, so the square may
// lose a fraction of a pixel of the result at its rims: k is chosen for the least.
func boxed(img image.Image, crop image.Rectangle, size int) (image.Image, image.Rectangle) {
	most := crop.Dx() / (3 * size)
	if most < 2 {
		return img, crop
	}
	// A block of chroma covers twice as much where that is halved.
	k := most
	for smaller := most - 1; smaller >= 2 && 3*smaller >= 2*most; smaller-- {
		if crop.Dx()%(2*smaller) < crop.Dx()%(2*k) {
			k = smaller
		}
	}
	side := crop.Dx() / (2 * k) * (2 * k)
	lost := (crop.Dx() - side) / 2
	at := crop.Min.Sub(img.Bounds().Min).Add(image.Pt(lost, lost))
	at.X, at.Y = at.X&^1, at.Y&^1
	n := side / k
	small := image.Rect(0, 0, n, n)

	switch img := img.(type) {
	case *image.Gray:
		out := image.NewGray(small)
		boxMeans(out.Pix, n, n, img.Pix[at.Y*img.Stride+at.X:], img.Stride, k)
		return out, small
	case *image.YCbCr:
		across, down := 1, 1
		switch img.SubsampleRatio {
		case image.YCbCrSubsampleRatio444:
		case image.YCbCrSubsampleRatio422:
			across = 2
		case image.YCbCrSubsampleRatio440:
			down = 2
		case image.YCbCrSubsampleRatio420:
			across, down = 2, 2
		default:
			return img, crop
		}
		out := image.NewYCbCr(small, img.SubsampleRatio)
		boxMeans(out.Y, n, n, img.Y[at.Y*img.YStride+at.X:], img.YStride, k)
		c := at.Y/down*img.CStride + at.X/across
		boxMeans(out.Cb, n/across, n/down, img.Cb[c:], img.CStride, k)
		boxMeans(out.Cr, n/across, n/down, img.Cr[c:], img.CStride, k)
		return out, small
	}
	return img, crop
}

// boxMeans writes the means of blocks of k x k of src to dst, [h,w].
func boxMeans(dst []uint8, w, h int, src []uint8, stride, k int) {
	sums := make([]uint32, w)
	half, all := uint32(k*k/2), uint32(k*k)
	for y := range h {
		clear(sums)
		for j := range k {
			row := src[(y*k+j)*stride:]
			for x := range sums {
				for _, v := range row[x*k : x*k+k] {
					sums[x] += uint32(v)
				}
			}
		}
		for x, sum := range sums {
			dst[y*w+x] = uint8((sum + half) / all)
		}
	}
}
