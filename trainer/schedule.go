package trainer

import (
	"math"
	"slices"
	"sort"

	"flowmatch/models"
)

// Longer is c for a run that goes on past its planned end, to n steps in all. What was
// planned stays as it was, so that it does not matter where the run had stopped: a
// constant schedule goes on as if it had been planned so from the start, a cosine ends
// where it was to end, and begins again over the added steps (Loshchilov and Hutter
// 2017, eq. 5, with its warm-up).
func (c Config) Longer(n int) Config {
	if c.Schedule == "cosine" {
		c.Earlier = append(slices.Clone(c.Earlier), c.Iterations)
	}
	c.Iterations = n
	return c
}

// checkEarlier refuses ends of plans that Longer does not make.
func (c Config) checkEarlier() error {
	if len(c.Earlier) > 0 && c.Schedule != "cosine" {
		return models.Wrong("earlier_iterations", "%v: a %s schedule has none to begin again at", c.Earlier, c.Schedule)
	}
	before := 0
	for _, end := range append(slices.Clone(c.Earlier), c.Iterations) {
		if end <= before {
			return models.Wrong("earlier_iterations", "%v, then %d: every end of a plan is past the one before", c.Earlier, c.Iterations)
		}
		before = end
	}
	return nil
}

// plan is the part of the run that step k is planned in: its first step, its length and
// its warm-up.
func (c Config) plan(k int) (first, length, warmup int) {
	i, end := sort.SearchInts(c.Earlier, k+1), c.Iterations
	if i < len(c.Earlier) {
		end = c.Earlier[i]
	}
	if i == 0 {
		return 0, end, c.Warmup
	}
	first = c.Earlier[i-1]
	return first, end - first, min(c.Warmup, (end-first)/10)
}

// Rate is the learning rate of step k = 0, 1, ...: it grows linearly over the
// warm-up, then stays, or falls to 0 along half a cosine (Loshchilov and
// Hutter 2017, eq. 5).
func (c Config) Rate(k int) float64 {
	first, length, warmup := c.plan(k)
	k -= first
	if k < warmup {
		return c.LearningRate * float64(k+1) / float64(warmup)
	}
	if c.Schedule != "cosine" {
		return c.LearningRate
	}
	done := float64(k-warmup) / float64(max(1, length-warmup))
	return c.LearningRate * 0.5 * (1 + math.Cos(math.Pi*min(1, done)))
}

// Decay is the decay of the moving average after step k = 0, 1, ...: it starts
// small, so that the initial weights are soon forgotten.
func (c Config) Decay(k int) float64 {
	n := float64(k + 1)
	return min(c.EMADecay, (1+n)/(10+n))
}
