package page

import (
	"sync"
	"time"

	"flowmatch/trainer"
)

// liveFor is how long after its last line a run counts as going on.
const liveFor = 8 * time.Second

// mostAhead is how far ahead of this machine's clock a file's time may be: clocks are set
// back by a little now and then.
const mostAhead = 2 * time.Second

// pulses tell which runs go on. The time of a run's metrics tells it for those that
// are seen first. For the others it is enough that the file has changed since the last
// look, whatever its time is: the clock may have been set back, and another machine, whose
// disk it is, may have a clock that is ahead.
type pulses struct {
	now func() time.Time // nil: time.Now

	mu   sync.Mutex
	seen map[string]pulse // by run
}

type pulse struct {
	stamp stamp
	// Times of this process's own clock, which nobody sets.
	looked  time.Time
	changed time.Time // zero: not yet
}

// live tells whether a run goes on.
func (p *pulses) live(d folder) bool {
	in, ok := d.files[trainer.MetricsFile]
	if !ok {
		return false
	}
	now := time.Now()
	if p.now != nil {
		now = p.now()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil {
		p.seen = map[string]pulse{}
	}
	at := stampOf(in)
	last, known := p.seen[d.id]
	if known && at != last.stamp && now.Sub(last.looked) < liveFor { // else it may have been long ago
		last.changed = now
	}
	last.stamp, last.looked = at, now
	p.seen[d.id] = last
	if !last.changed.IsZero() && now.Sub(last.changed) < liveFor {
		return true
	}
	age := now.Sub(in.ModTime())
	return age > -mostAhead && age < liveFor
}
