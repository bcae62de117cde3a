package trainer

import "time"

// Progress is how far a run has come.
type Progress struct {
	Step, Total    int     // steps done, steps to do in all
	Loss           float64 // mean of the finite ones since the last look; NaN where there is none
	GradNorm       float64 // the same, before clipping
	Rate           float64 // learning rate
	StepsPerSecond float64 // of the last while, by the median of the times between looks
	Waiting        float64 // part of the time since the last look that was spent waiting for data, 0 to 1
	// Timed tells that enough steps were timed to tell of those to come; before, Left is 0.
	Timed bool
	Left  time.Duration
}

// The first steps ask for memory, and libraries choose their ways: they say nothing of those
// to come. Timed are so many stretches between looks, each of a step at least.
const (
	unsettledSteps = 2
	fewestTimed    = 3
	mostTimed      = 31 // the last ones
)

// TimedSteps are as many as a run needs, with a look after each, to tell how long steps take.
const TimedSteps = unsettledSteps + fewestTimed

// meter measures how fast a run is.
type meter struct {
	first   int       // steps done before the run
	at      time.Time // of the last look
	step    int
	waited  time.Duration // for data, up to then
	aside   time.Duration // not spent on steps, up to then
	settled bool          // the last stretch began after the first steps
	each    []float64     // seconds a step of the last stretches between looks, which are all settled or one that is not
}

// look measures since the last time; waited and aside are of the whole run.
func (m *meter) look(p *Progress, now time.Time, waited, aside time.Duration) {
	took := (now.Sub(m.at) - (aside - m.aside)).Seconds()
	if steps := p.Step - m.step; steps > 0 {
		settled := m.step-m.first >= unsettledSteps
		if !settled || !m.settled { // what came before is worth less
			m.each = m.each[:0]
		}
		m.settled = settled
		m.each = append(m.each, took/float64(steps))
		m.each = m.each[max(0, len(m.each)-mostTimed):]
	}
	p.Waiting = min(1, (waited-m.waited).Seconds()/took)
	if len(m.each) > 0 {
		p.StepsPerSecond = 1 / median(m.each)
	}
	p.Timed = m.settled && len(m.each) >= fewestTimed
	if p.Timed {
		p.Left = time.Duration(float64(p.Total-p.Step) / p.StepsPerSecond * float64(time.Second))
	}
	m.at, m.step, m.waited, m.aside = now, p.Step, waited, aside
}
