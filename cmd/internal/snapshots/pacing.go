package snapshots

import "time"

const (
	pictures = 10   // of a run, unless they cost too much or the user has said
	share    = 0.05 // of the run's time, the most that they may cost
)

// pacing decides after which steps there is a picture.
type pacing struct {
	first, total int // steps done before, and in all
	every        int // as the user has said; 0: about ten pictures that cost little

	drawn int           // since first
	spent time.Duration // on them
	cost  time.Duration // of the last, 0 before
}

// stride is the number of steps between those after which there may be a picture.
func (p *pacing) stride() int {
	if p.every > 0 {
		return p.every
	}
	return max(1, (p.total+pictures-1)/pictures)
}

// after is the next such step after one, 0 for none. The last step is one of them unless
// the user has said which are.
func (p *pacing) after(step int) int {
	next := (step/p.stride() + 1) * p.stride()
	switch {
	case next <= p.total:
		return next
	case p.every == 0 && step < p.total:
		return p.total
	}
	return 0
}

// wanted tells whether there is a picture after a step, one of those that after gives. There
// is one at the end, whatever it costs, and on the way as many as are within the share with it.
// rate is the training's, in steps a second; estimate is what the first may cost.
func (p *pacing) wanted(step int, rate float64, estimate time.Duration) bool {
	if p.every > 0 {
		return true
	}
	if step == p.total {
		return true // what a run has come to, and the end of its film
	}
	cost := p.cost
	if p.drawn == 0 {
		cost = estimate
	}
	budget := time.Duration(share * float64(p.total-p.first) / rate * float64(time.Second))
	if cost <= 0 || p.spent+cost > budget {
		return cost <= 0
	}
	// This is candidate k of n, of which so many can be afforded.
	k, n := p.candidates(step), p.candidates(p.total)
	affordable := min(int64(n), int64(p.drawn)+int64((budget-p.spent)/cost))
	return int64(p.drawn) < affordable*int64(k)/int64(n)
}

// candidates is the number of steps up to one that after gives, since the first.
func (p *pacing) candidates(step int) int {
	n := step/p.stride() - p.first/p.stride()
	if step == p.total && p.total%p.stride() != 0 {
		n++
	}
	return n
}

func (p *pacing) took(cost time.Duration) {
	p.drawn++
	p.cost = cost
	p.spent += cost
}
