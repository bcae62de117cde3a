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
		// Of the normal distribution at log(7/9) = -.2513.
		"logit-normal":                    {LogitNormalTimes{}, 0.4008},
		"logit-normal, stratified":        {LogitNormalTimes{Of: StratifiedTimes{}}, 0.4008},
		"logit-normal, late and narrower": {LogitNormalTimes{Mean: 0.5, Scale: 0.5}, 0.0664}, // at -1.5026
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

// given are times that are known before.
type given []float32

func (g given) Sample(*torch.Generator, int64, torch.Device) torch.Tensor {
	return torch.FromSlice(g, int64(len(g)))
}

// Quantiles of the distribution, by Go's inverse of erf, from the first number that U(0,1) may
// give to the last.
func TestLogitNormalTimes(t *testing.T) {
	u := given{0, 0x1p-24, 1e-5, 0.01, 0.2, 0.4999, 0.5, 0.50001, 0.7, 0.975, 0.9999, 1 - 0x1p-24}
	torch.Scoped(func() {
		for i, got := range torch.ToSlice[float32](LogitNormalTimes{Of: u, Mean: -0.3, Scale: 1.2}.Sample(nil, int64(len(u)), torch.CPU)) {
			z := math.Sqrt2 * math.Erfinv(2*max(float64(u[i]), 0x1p-25)-1)
			if want := 1 / (1 + math.Exp(0.3-1.2*z)); math.Abs(float64(got)-want) > 1e-6*want {
				t.Errorf("at %v: %v, want %v", u[i], got, want)
			}
		}
	})
}

func TestNewTimes(t *testing.T) {
	for _, c := range []struct {
		of   TimesConfig
		want TimeSampler
		says string
	}{
		{TimesConfig{}, UniformTimes{}, ""},
		{TimesConfig{Name: "uniform", Stratified: true, Power: 1}, StratifiedTimes{}, ""},
		{TimesConfig{Stratified: true, Power: 2}, LateTimes{Of: StratifiedTimes{}, Power: 2}, ""},
		{TimesConfig{Name: "logit-normal"}, LogitNormalTimes{Of: UniformTimes{}}, ""},
		{TimesConfig{Name: "logit-normal", Power: 2}, nil, "logit-normal: a power is of uniform times"},
		{TimesConfig{Name: "beta"}, nil, "\"beta\" is no distribution of times: uniform, logit-normal"},
	} {
		got, err := NewTimes(c.of)
		if got != c.want || (err == nil) != (c.says == "") || err != nil && err.Error() != c.says {
			t.Errorf("%+v: %v, %v", c.of, got, err)
		}
	}
}
