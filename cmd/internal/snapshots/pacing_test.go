package snapshots

import (
	"slices"
	"testing"
	"time"
)

// drawnBy are the steps after which a run has a picture that costs so much.
func drawnBy(p pacing, rate float64, estimate time.Duration, cost func(step int) time.Duration) []int {
	var steps []int
	for at := p.after(p.first); at != 0; at = p.after(at) {
		if p.wanted(at, rate, estimate) {
			steps = append(steps, at)
			p.took(cost(at))
		}
	}
	return steps
}

func TestPacing(t *testing.T) {
	const ms = time.Millisecond
	always := func(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }
	ten := []int{160, 320, 480, 640, 800, 960, 1120, 1280, 1440, 1600}
	for _, c := range []struct {
		name     string
		p        pacing
		rate     float64 // steps a second
		estimate time.Duration
		cost     func(int) time.Duration
		want     []int
	}{
		// 160 s, of which 8 s may be spent.
		{"ten of them", pacing{total: 1600}, 10, 800 * ms, always(800 * ms), ten},
		{"half as many", pacing{total: 1600}, 10, 1600 * ms, always(1600 * ms), []int{320, 640, 960, 1280, 1600}},
		{"one, the last", pacing{total: 1600}, 10, 5 * time.Second, always(5 * time.Second), []int{1600}},
		{"the last, though it is too dear", pacing{total: 1600}, 10, 9 * time.Second, always(9 * time.Second), []int{1600}},
		{"dearer than it seemed", pacing{total: 1600}, 10, 500 * ms, always(2500 * ms), []int{160, 1120, 1600}},
		{"cheaper than it seemed", pacing{total: 1600}, 10, 4 * time.Second, always(100 * ms), []int{800, 960, 1120, 1280, 1440, 1600}},
		{"one is counted on to cost what the one before did", pacing{total: 1600}, 10, 500 * ms, func(step int) time.Duration {
			if step == 160 {
				return 3 * time.Second
			}
			return 500 * ms
		}, []int{160, 1600}},
		{"all is spent by the first, and the last is there all the same", pacing{total: 1600}, 10, 500 * ms, always(9 * time.Second), []int{160, 1600}},
		{"not a multiple of ten", pacing{total: 1234}, 1, ms, always(ms), []int{124, 248, 372, 496, 620, 744, 868, 992, 1116, 1234}},
		{"a short run", pacing{total: 3}, 1, ms, always(ms), []int{1, 2, 3}},
		{"going on", pacing{first: 350, total: 1600}, 10, ms, always(ms), ten[2:]},
		{"going on past the end", pacing{first: 1600, total: 2000}, 10, ms, always(ms), []int{1800, 2000}},
		{"a little past the end", pacing{first: 1600, total: 1650}, 10, time.Second, always(time.Second), []int{1650}},
		{"nothing to do", pacing{first: 1600, total: 1600}, 10, ms, always(ms), nil},
		{"as the user says, whatever it costs", pacing{total: 100, every: 30}, 10, time.Hour, always(time.Hour), []int{30, 60, 90}},
		{"as the user says, going on", pacing{first: 60, total: 120, every: 30}, 10, ms, always(ms), []int{90, 120}},
		{"fewer steps than the user says", pacing{total: 20, every: 30}, 10, ms, always(ms), nil},
	} {
		if got := drawnBy(c.p, c.rate, c.estimate, c.cost); !slices.Equal(got, c.want) {
			t.Errorf("%s: after %v, want %v", c.name, got, c.want)
		}
	}
}

// Whatever pictures cost, more than the last one cost a twentieth of the time at most, but
// for what the first is dearer than its estimate.
func TestPacingKeepsItsShare(t *testing.T) {
	for total := 1; total < 3000; total += 97 {
		for _, rate := range []float64{0.1, 3, 200} {
			for part := 1; part < 400; part += 7 { // of the run's time, in thousandths
				cost := time.Duration(float64(total) / rate * float64(part) / 1000 * float64(time.Second))
				n := len(drawnBy(pacing{total: total}, rate, cost, func(int) time.Duration { return cost }))
				if n > pictures || n > 1 && n*part > 50 {
					t.Fatalf("%d steps, %v a second: %d pictures of %d thousandths", total, rate, n, part)
				}
				if most := max(1, min(49/part, pictures, total)); total >= 100 && n < most {
					t.Errorf("%d steps, %v a second: %d pictures of %d thousandths, where %d can be had", total, rate, n, part, most)
				}
			}
		}
	}
}
