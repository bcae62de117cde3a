package flow

import (
	"fmt"
	"math"

	torch "github.com/wangkuiyi/gotorch"
)

// Output is a state at a time that was asked for. X belongs to the solver: it
// ends when the function that got it returns, unless it is kept.
type Output struct {
	Index int // in the list of times
	T     float64
	X     torch.Tensor
}

// progress is 0 at t0 and 1 at t1.
func progress(t, t0, t1 float64) float64 {
	if t == t1 {
		return 1
	}
	return (t - t0) / (t1 - t0)
}

func checkTimes(at []float64, t0, t1 float64) error {
	before := 0.0
	for i, t := range at {
		p := progress(t, t0, t1)
		if !(p >= before && p <= 1) {
			return fmt.Errorf("flow: output time %d, %v, is out of order or outside [%v,%v]", i, t, t0, t1)
		}
		before = p
	}
	return nil
}

// EvenTimes is n equally spaced times from 0 to 1, ends included.
func EvenTimes(n int) []float64 {
	if n == 1 {
		return []float64{1}
	}
	ts := make([]float64, n)
	for i := range ts {
		ts[i] = float64(i) / float64(n-1)
	}
	return ts
}

// FilmTimes is n times from 0 to 1, ends included, closer the later they are: an image is
// noise for the first half of its way, which a third of them runs through.
func FilmTimes(n int) []float64 {
	ts := EvenTimes(n)
	for i, u := range ts {
		ts[i] = 1 - math.Pow(1-u, latePower)
	}
	return ts
}

// latePower 1 would be equal steps.
const latePower = 1.7
