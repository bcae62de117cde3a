package flow

import (
	"math"
	"slices"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

// The part of the times below 7/16 is what their distribution function says: of
// uniform ones 7/16, of 1-(1-u)^2 it is 1-(3/4) = 1/4.
func TestTimeSamplers(t *testing.T) {
	const n = 50000
	for name, c := range map[string]struct {
		sampler TimeSampler
		low     float64
	}{
		"uniform":          {UniformTimes{}, 7. / 16},
		"stratified":       {StratifiedTimes{}, 7. / 16},
		"late":             {LateTimes{Power: 2}, 0.25},
		"late, stratified": {LateTimes{Of: StratifiedTimes{}, Power: 2}, 0.25},
		"late, power 1":    {LateTimes{Power: 1}, 7. / 16},
		"zero":             {TimeZero{}, 1},
	} {
		torch.Scoped(func() {
			gen := torch.NewGenerator(torch.CPU, 3)
			defer gen.Close()
			ts := torch.ToSlice[float32](c.sampler.Sample(gen, n, torch.CPU))
			low := 0
			for _, v := range ts {
				if v < 7./16 {
					low++
				}
			}
			// Five standard errors of 50,000 draws are 0.011.
			if f := float64(low) / n; len(ts) != n || slices.Min(ts) < 0 || slices.Max(ts) > 1 || math.Abs(f-c.low) > 0.011 {
				t.Errorf("%s: %d times in [%v,%v], %v of them below 7/16, want %v", name, len(ts), slices.Min(ts), slices.Max(ts), f, c.low)
			}
		})
	}
}

// One time in each part, other ones at every draw.
func TestStratifiedTimes(t *testing.T) {
	const n = 100
	torch.Scoped(func() {
		gen := torch.NewGenerator(torch.CPU, 3)
		defer gen.Close()
		first := torch.ToSlice[float32](StratifiedTimes{}.Sample(gen, n, torch.CPU))
		second := torch.ToSlice[float32](StratifiedTimes{}.Sample(gen, n, torch.CPU))
		for i := range n {
			if int(first[i]*n) != i || int(second[i]*n) != i {
				t.Errorf("times %v and %v are not in part %d of %d", first[i], second[i], i, n)
			}
		}
		if slices.Equal(first, second) {
			t.Error("two draws are the same")
		}
	})
}
