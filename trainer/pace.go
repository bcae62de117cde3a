package trainer

import "time"

// Mark is a moment of a run: the device had done so many steps, so long after
// the first began.
type Mark struct {
	Step int
	At   time.Duration
}

// maxMarks bounds a pace, however long the run.
const maxMarks = 256

// pace is when which step was done. Between two marks the device did that work
// and no other: they are taken when it has been read, so nothing is under way.
// A speed is told from the marks after the warm-up, not from the whole run.
type pace struct {
	marks  []Mark
	stride int // every so many looks make a mark; 0 is 1
	looks  int // since the last mark
}

func (p *pace) note(step int, at time.Duration) {
	p.looks++
	if p.looks < p.stride {
		return
	}
	p.looks = 0
	p.marks = append(p.marks, Mark{step, at})
	if len(p.marks) < maxMarks {
		return
	}
	// Half as many from now on, twice as far apart; the first stays.
	kept := p.marks[:0]
	for i := 0; i < maxMarks; i += 2 {
		kept = append(kept, p.marks[i])
	}
	p.looks = max(1, p.stride) // since the last that is kept
	p.marks, p.stride = kept, 2*p.looks
}
