package viz

import (
	"fmt"
	"image"
	"io"
	"iter"
)

// VectorFieldGIF writes the film of a flow of points: on the left the velocities as
// arrows, coloured and as long as they are fast (coolwarm) up to the speed that the
// heading names, on the right the points as a
// histogram (viridis, from 0 to the 0.99 quantile of the frame's counts).
//
// There is a field for each frame, in their order. The points, counted or as
// [N,2], come one frame at a time, and are not needed after the next one is asked for. An
// error from the iterator ends the film and is returned.
func VectorFieldGIF(w io.Writer, fields []Field, frames iter.Seq2[Frame, error], cfg FieldConfig) error {
	cfg, err := cfg.complete()
	if err != nil {
		return err
	}
	if err := checkFields(fields, cfg.Grid); err != nil {
		return err
	}
	side := cfg.side()
	head, top := headingHeight(face(headingSize)), titleRoom(cfg.Title)+panelGap/2
	left := image.Pt(panelGap, top+head)
	right := left.Add(image.Pt(side+2*panelGap, 0))
	f, err := newFieldFilm(w, image.Pt(right.X+side+panelGap, left.Y+side+panelGap), cfg)
	if err != nil {
		return err
	}
	above := func(at image.Point) image.Rectangle {
		return image.Rect(at.X, top, at.X+side, top+head)
	}

	h := NewHist2D(cfg.Bins, cfg.Range)
	n := 0
	for frame, failure := range frames {
		switch {
		case failure != nil:
			return failure
		case n >= len(fields):
			return fmt.Errorf("viz: %d fields, but more frames", len(fields))
		case n > 0:
			if err := f.add(f.delay); err != nil {
				return err
			}
		}
		counts, err := h.of(frame.Hist, frame.X)
		if err != nil {
			return err
		}
		f.hist(right, counts)
		top := topSpeed(fields[n].V)
		f.write("velocity, arrows up to "+speedText(top), above(left))
		f.quiver.draw(f.page, left, side, fields[n].V, top)
		f.write(fmt.Sprintf("t = %.2f", frame.T), above(right))
		n++
	}
	return f.end(n, len(fields))
}

// end writes the last frame, which stays for a while.
func (f *fieldFilm) end(frames, fields int) error {
	switch {
	case frames == 0:
		return errNoFrames
	case frames != fields:
		return fmt.Errorf("viz: %d fields for %d frames", fields, frames)
	}
	_, hold := f.cfg.delays()
	if err := f.add(hold); err != nil {
		return err
	}
	return f.gif.close()
}

func checkFields(fields []Field, grid int) error {
	for k, f := range fields {
		if len(f.V) != 2*grid*grid {
			return fmt.Errorf("viz: field %d has %d values, not %d for %d x %d arrows", k, len(f.V), 2*grid*grid, grid, grid)
		}
	}
	return nil
}
