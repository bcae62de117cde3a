package datasets

import (
	"crypto/sha256"
	"image"
	"io"
	"slices"

	"golang.org/x/image/draw"

	"flowmatch/datasets/picture"
)

// squareFile reads a picture file as a square, see square. It gives the file's SHA-256
// and says what was done to the picture.
func squareFile(open pictureOpener, path string, size int, gate *pixelGate, dst []uint8) (sum [sha256.Size]byte, done picture.Treatment, err error) {
	f, bytes, err := open(path)
	if err != nil {
		return sum, 0, err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return sum, 0, err
	}
	sum = [sha256.Size]byte(hash.Sum(nil))
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return sum, 0, err
	}
	done, err = squareFrom(f, bytes, size, gate, dst)
	return sum, done, err
}

// squareFrom is squareFile's work on a file of so many bytes that is open.
func squareFrom(r io.ReadSeeker, bytes int64, size int, gate *pixelGate, dst []uint8) (done picture.Treatment, err error) {
	defer picture.Recover(&err)
	p, err := picture.ReadHead(r, bytes)
	if err != nil {
		return 0, err
	}
	gate.enter(p.Pixels())
	defer gate.leave(p.Pixels())
	img, done, err := p.Decode()
	if err != nil {
		return 0, err
	}
	square(dst, img, p.Stored, size)
	if min(p.Width, p.Height) < size {
		done |= picture.Enlarged
	}
	return done, nil
}

// square writes the middle of a picture, set upright and scaled so that its short side
// fits, to dst: [3,size,size]. Transparent parts show white.
//
// The scaling is by the Catmull-Rom cubic, which is made wider when it shrinks: each
// pixel of the result then weighs all those of the picture that it covers, and no
// fine pattern turns into a coarse one. The small picture is turned, not the large one.
func square(dst []uint8, img image.Image, stored picture.Orientation, size int) {
	img, crop := boxed(img, stored.Middle(img.Bounds()), size)

	canvas := image.NewRGBA(image.Rect(0, 0, size, size))
	draw.Draw(canvas, canvas.Rect, image.White, image.Point{}, draw.Src)
	draw.CatmullRom.Scale(canvas, canvas.Rect, img, crop, draw.Over, nil)

	plane := size * size
	for i := range plane {
		dst[i], dst[plane+i], dst[2*plane+i] = canvas.Pix[4*i], canvas.Pix[4*i+1], canvas.Pix[4*i+2]
	}
	for c := range slices.Chunk(dst[:3*plane], plane) {
		small, _, _ := stored.Turn(c, size, size)
		copy(c, small)
	}
}
