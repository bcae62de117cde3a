package trainer

import (
	"cmp"
	"fmt"
	"slices"
)

// A run diverges in one of two ways: steps are no longer updates, because the loss or
// a gradient is not finite; or the loss is finite and many times what it was.
const (
	patience     = 30  // steps without an update after which a run has diverged
	explosion    = 10  // times the running median: a high loss
	longPatience = 100 // steps of high loss after which a run has diverged
	medianOf     = 255 // losses whose median is the running one
	fewest       = 16  // losses that make a median
	atTheEnd     = 10  // the last losses by which a run is judged that has come to its end

	outOfBounds = explosion * explosion * explosion // times the usual loss: no batch is so bad by chance
)

// divergence watches a run's losses.
type divergence struct {
	// least is a loss that is never high. A student begins where its teacher is, with a
	// small loss, and may first lose some of it.
	least     float32
	first     float32   // loss of the run's first step, before any update
	begun     bool      // there is such a step
	normal    []float32 // the last losses that were not high
	median    float32   // theirs, 0 while they are too few
	stale     int       // losses since it was computed
	skipped   int       // steps without an update
	row, high int       // steps without an update, and steps of high or no finite loss, in a row up to now
	rowSince  int       // the first of each row
	highSince int
	longest   int       // the longest row of steps of high or no finite loss
	peak      Explosion // the highest loss of those that were high
}

// add takes the loss and the gradient's norm of a step, counted from 1.
func (d *divergence) add(step int, loss, norm float32) {
	ok := finite(loss) && finite(norm)
	if !d.begun {
		d.first, d.begun = loss, true
	}
	if ok {
		d.row = 0
	} else {
		if d.row++; d.row == 1 {
			d.rowSince = step
		}
		d.skipped++
	}
	usual := d.usual()
	if !ok || loss > explosion*usual && loss > d.least {
		if d.high++; d.high == 1 {
			d.highSince = step
		}
		d.longest = max(d.longest, d.high)
		if ok && loss > d.peak.Loss {
			d.peak = Explosion{step, loss, usual}
		}
		return
	}
	d.high = 0
	if d.normal = append(d.normal, loss); len(d.normal) > 2*medianOf {
		d.normal = slices.Delete(d.normal, 0, len(d.normal)-medianOf)
	}
	if d.stale++; d.stale >= max(fewest, min(4*fewest, len(d.normal)/4)) {
		d.stale, d.median = 0, median(d.normal[max(0, len(d.normal)-medianOf):])
	}
}

// usual is the loss that others are judged by: the running median, and while that is not known the first loss, which
// is that of a network that has learnt nothing, or of a teacher. Of a few samples that may be small by chance.
func (d *divergence) usual() float32 {
	switch {
	case d.median > 0:
		return d.median
	case finite(d.first):
		return max(d.first, ofZeros)
	}
	return ofZeros
}

func median[T cmp.Ordered](v []T) T {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

// verdict is a divergence that ends a run, or nil.
func (d *divergence) verdict() error {
	switch {
	case d.row >= patience:
		return &DivergedError{Step: d.rowSince}
	case d.high >= longPatience:
		return &DivergedError{Step: d.highSince, Why: tenfold}
	}
	return nil
}

// atEnd is the verdict on a run that has done its steps, however few: losses are those
// of all of its steps.
func (d *divergence) atEnd(losses []float32) error {
	last := losses[max(0, len(losses)-atTheEnd):]
	switch {
	case d.row > 0:
		return &DivergedError{Step: d.rowSince}
	case d.high >= atTheEnd:
		return &DivergedError{Step: d.highSince, Why: tenfold}
	case len(losses) > 1 && finite(d.first) && median(last) > explosion*max(d.first, ofZeros):
		at := slices.IndexFunc(losses, func(v float32) bool { return v > explosion*max(d.first, ofZeros) })
		return &DivergedError{Step: at + 1, Why: tenfold}
	}
	return nil
}

// ofZeros is about the loss of a network that gives zeros, in the units that flows are
// trained in.
const ofZeros = 1

// Explosion is a loss many times what it was, from which a run came down again.
type Explosion struct {
	Step  int
	Loss  float32 // the highest of the run
	Usual float32 // what it was before
}

// exploded tells of an explosion that is no single bad batch: the loss was high for some
// steps, or out of all bounds. It is nil where there was none.
func (d *divergence) exploded() *Explosion {
	if d.peak.Step == 0 || d.longest < atTheEnd && d.peak.Loss <= outOfBounds*d.peak.Usual {
		return nil
	}
	e := d.peak
	return &e
}

const tenfold = "the loss is more than ten times what it was"

// DivergedError ends a run that trains nothing any more. A lower learning rate, or
// clipped gradients, may keep another one from it.
type DivergedError struct {
	Step int    // the first of the bad steps
	Why  string // "": the loss or its gradient is not finite
}

func (e *DivergedError) Error() string {
	why := e.Why
	if why == "" {
		why = "the loss or its gradient is not finite"
	}
	return fmt.Sprintf("%s since step %d: the run has diverged", why, e.Step)
}
