package trainer

import "time"

// Progress is how far a run has come.
type Progress struct {
	Step, Total    int     // steps done, steps to do in all
	Loss           float64 // mean of the finite ones since the last look; NaN where there is none
	GradNorm       float64 // the same, before clipping
	Rate           float64 // learning rate
	StepsPerSecond float64 // of the last while
	Waiting        float64 // part of the time since the last look that was spent waiting for data, 0 to 1
	Left           time.Duration
}

// meter measures how fast a run is.
type meter struct {
	at     time.Time // of the last look
	step   int
	waited time.Duration // for data, up to then
	aside  time.Duration // not spent on steps, up to then
	rate   float64       // steps a second, smoothed
}

// look measures since the last time; waited and aside are of the whole run.
func (m *meter) look(p *Progress, now time.Time, waited, aside time.Duration) {
	took := (now.Sub(m.at) - (aside - m.aside)).Seconds()
	if steps := p.Step - m.step; steps > 0 {
		r := float64(steps) / took
		if m.rate == 0 {
			m.rate = r
		} else {
			m.rate += (r - m.rate) * min(1, 0.1+float64(steps)/50)
		}
	}
	p.StepsPerSecond = m.rate
	p.Waiting = min(1, (waited-m.waited).Seconds()/took)
	p.Left = time.Duration(float64(p.Total-p.Step) / m.rate * float64(time.Second))
	m.at, m.step, m.waited, m.aside = now, p.Step, waited, aside
}
