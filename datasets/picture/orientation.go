package picture

import "image"

// Orientation is how a picture is stored, by EXIF's numbers: 1 upright, 2 to 4 mirrored
// or on its head, 5 to 8 lying on its side. Others are 1.
type Orientation uint8

const upright Orientation = 1

// known is o, or upright where EXIF has no such number.
func (o Orientation) known() Orientation {
	if o < 1 || o > 8 {
		return upright
	}
	return o
}

// lying tells whether width and height are exchanged.
func (o Orientation) lying() bool { return o >= 5 }

// fromRight and fromBelow tell whether the stored picture's columns and rows are to be
// read backwards: its first pixel is then at the right, or below.
func (o Orientation) fromRight() bool { return o == 2 || o == 3 || o == 7 || o == 8 }
func (o Orientation) fromBelow() bool { return o == 3 || o == 4 || o == 6 || o == 7 }

// Turn gives one plane of a stored picture upright. src: [h,w] -> [H,W], which is [w,h]
// where it lies.
func (o Orientation) Turn(src []uint8, w, h int) (dst []uint8, width, height int) {
	if o == upright {
		return src, w, h
	}
	width, height = w, h
	if o.lying() {
		width, height = h, w
	}
	dst = make([]uint8, len(src))
	for y := range h {
		row := src[y*w : (y+1)*w]
		if o.fromBelow() {
			row = src[(h-1-y)*w : (h-y)*w]
		}
		for x := range w {
			v := row[x]
			if o.fromRight() {
				v = row[w-1-x]
			}
			if o.lying() {
				dst[x*width+y] = v
			} else {
				dst[y*width+x] = v
			}
		}
	}
	return dst, width, height
}

// Middle is the largest square in the middle of a stored picture. Where a pixel is left
// over, it is the one that would be if the picture were upright.
func (o Orientation) Middle(b image.Rectangle) image.Rectangle {
	side := min(b.Dx(), b.Dy())
	left, top := (b.Dx()-side)/2, (b.Dy()-side)/2
	if o.fromRight() {
		left = b.Dx() - side - left
	}
	if o.fromBelow() {
		top = b.Dy() - side - top
	}
	from := b.Min.Add(image.Pt(left, top))
	return image.Rectangle{Min: from, Max: from.Add(image.Pt(side, side))}
}
