package viz

import (
	"fmt"
	"image"
	"io"
	"iter"
)

// Side is one of two models that are compared.
type Side struct {
	Name   string  // "flow matching", "rectified"
	Fields []Field // one for each frame
}

// PairFrame is the state of both models' points at one time: each [N,2], or counted, as
// in [Frame].
type PairFrame struct {
	T    float64
	X    [2][]float32
	Hist [2]*Hist2D
}

// CompareGIF writes the film of two models that start from the same noise, side by side:
// histograms above, the velocities below. Otherwise it is as [VectorFieldGIF]: the headings
// name the speed of each side's longest arrows. Bins is 400 by default.
func CompareGIF(w io.Writer, sides [2]Side, frames iter.Seq2[PairFrame, error], cfg FieldConfig) error {
	if cfg.Bins <= 0 {
		cfg.Bins = 400
	}
	cfg, err := cfg.complete()
	if err != nil {
		return err
	}
	for _, s := range sides {
		if err := checkFields(s.Fields, cfg.Grid); err != nil {
			return err
		}
		if len(s.Fields) != len(sides[0].Fields) {
			return fmt.Errorf("viz: %d fields on one side and %d on the other", len(sides[0].Fields), len(s.Fields))
		}
	}
	side := cfg.side()
	head, top := headingHeight(face(headingSize)), titleRoom(cfg.Title)+panelGap/2
	timeRoom := 80
	width := 2*side + 4*panelGap
	height := top + head + 2*side + 2*panelGap
	f, err := newFieldFilm(w, image.Pt(width, height), cfg)
	if err != nil {
		return err
	}
	var above, below [2]image.Point
	for k := range sides {
		above[k] = image.Pt(panelGap+k*(side+2*panelGap), top+head)
		below[k] = above[k].Add(image.Pt(0, side+panelGap))
	}
	middle := image.Rect(width/2-timeRoom/2, top, width/2+timeRoom/2, top+head)

	h := NewHist2D(cfg.Bins, cfg.Range)
	n := 0
	for frame, failure := range frames {
		switch {
		case failure != nil:
			return failure
		case n >= len(sides[0].Fields):
			return fmt.Errorf("viz: %d fields, but more frames", len(sides[0].Fields))
		case n > 0:
			if err := f.add(f.delay); err != nil {
				return err
			}
		}
		for k, s := range sides {
			counts, err := h.of(frame.Hist[k], frame.X[k])
			if err != nil {
				return err
			}
			f.hist(above[k], counts)
			fastest := topSpeed(s.Fields[n].V)
			heading := shorten(f.face, s.Name+", arrows up to "+speedText(fastest), side-timeRoom)
			f.write(heading, image.Rect(above[k].X+k*timeRoom/2, top, above[k].X+side-(1-k)*timeRoom/2, top+head))
			f.quiver.draw(f.page, below[k], side, s.Fields[n].V, fastest)
		}
		f.write(fmt.Sprintf("t = %.2f", frame.T), middle)
		n++
	}
	return f.end(n, len(sides[0].Fields))
}
