package viz

import (
	"strings"
	"testing"
)

func labels(ticks []tick) string {
	var s []string
	for _, t := range ticks {
		s = append(s, t.label)
	}
	return strings.Join(s, " ")
}

func TestLinearTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		wanted int
		want   string
	}{
		{0, 1, 5, "0.0 0.2 0.4 0.6 0.8 1.0"},
		{0, 1000, 8, "0 200 400 600 800 1,000"},
		{0, 20000, 4, "0 5,000 10,000 15,000 20,000"},
		{-1, 1, 4, "-1.0 -0.5 0.0 0.5 1.0"},
		{0.213, 0.487, 7, "0.25 0.30 0.35 0.40 0.45"},
		{1234, 1239, 5, "1,234 1,235 1,236 1,237 1,238 1,239"},
		{0, 3e9, 3, "0 1e+09 2e+09 3e+09"},
		{0, 2e-7, 4, "0 5e-8 1e-7 1.5e-7 2e-7"},
		{1, 1, 5, ""}, {2, 1, 5, ""},
		{1 << 62, 1<<62 + 4096, 4, "4.612e+18 4.612e+18 4.612e+18"}, // steps of 2,000, which floats blur
	} {
		if got := labels(linearTicks(c.lo, c.hi, c.wanted)); got != c.want {
			t.Errorf("%v to %v: %s, want %s", c.lo, c.hi, got, c.want)
		}
	}
}

func TestLogTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   string
	}{
		{0.02, 5, "0.02 0.05 0.1 0.2 0.5 1 2 5"},
		{0.001, 100, "0.001 0.01 0.1 1 10 100"},
		{900, 30000, "1,000 2,000 5,000 10,000 20,000"},
	} {
		if got := labels(logTicks(c.lo, c.hi)); got != c.want {
			t.Errorf("%v to %v: %s, want %s", c.lo, c.hi, got, c.want)
		}
	}
	if n := len(logTicks(1e-300, 1e300)); n > 12 {
		t.Errorf("%d ticks", n)
	}
}
