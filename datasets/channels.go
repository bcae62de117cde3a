package datasets

// chooseChannels leaves pictures in colour, [N,3,H,W], or makes them grey, [N,1,H,W]: as
// is asked for, or grey if all of them are. Its note says so.
func (im *Images) chooseChannels(asked int) (note string) {
	plane := im.Shape[1] * im.Shape[2]
	if asked == 0 && !im.allGrey(plane) || asked == 3 {
		return ""
	}
	if asked == 0 {
		note = "no picture has colours: one channel is taken"
	}
	grey := im.Pixels[:0] // in place: what is written was read before
	for i := range im.Len() {
		rgb := im.Pixels[3*i*plane : 3*(i+1)*plane]
		for k := range plane {
			grey = append(grey, luma(rgb[k], rgb[plane+k], rgb[2*plane+k]))
		}
	}
	im.Pixels, im.Shape[0] = grey[:len(grey):len(grey)], 1
	return note
}

// allGrey tells whether the three planes of every picture are equal.
func (im *Images) allGrey(plane int) bool {
	for i := range im.Len() {
		rgb := im.Pixels[3*i*plane : 3*(i+1)*plane]
		for k := range plane {
			if rgb[k] != rgb[plane+k] || rgb[k] != rgb[2*plane+k] {
				return false
			}
		}
	}
	return im.Len() > 0
}

// luma is the grey that people see of a colour (ITU-R BT.601); of grey itself it is the
// same.
func luma(r, g, b uint8) uint8 {
	return uint8((299*uint32(r) + 587*uint32(g) + 114*uint32(b) + 500) / 1000)
}
