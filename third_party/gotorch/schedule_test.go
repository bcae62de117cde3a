package gotorch

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestSchedules(t *testing.T) {
	var f struct{ Schedules map[string][]float64 }
	readFixture(t, "more.json", &f)
	const lr = 0.5
	for name, s := range map[string]Schedule{
		"step": StepLR(lr, 4, 0.5), "multi step": MultiStepLR(lr, []int64{7, 3}, 0.1), "exponential": ExponentialLR(lr, 0.9),
		"cosine": CosineAnnealingLR(lr, 10, 0.01), "linear": LinearLR(lr, 0.25, 1, 5), "polynomial": PolynomialLR(lr, 8, 2),
		"one cycle": OneCycleLR(1, 20, OneCycleOptions{}), "restarts": CosineAnnealingWarmRestarts(lr, 4, 2, 0.01),
		"warm-up, cosine": SequentialLR([]Schedule{LinearLR(lr, 0.25, 1, 5), CosineAnnealingLR(lr, 10, 0.01)}, []int64{5}),
	} {
		want := f.Schedules[name]
		if len(want) != 15 {
			t.Fatalf("%s: %d rates", name, len(want))
		}
		for i, w := range want {
			if got := s(int64(i)); math.Abs(got-w) > 1e-9 {
				t.Errorf("%s: step %d: %v, want %v", name, i, got, w)
			}
		}
	}
	if v := CosineAnnealingWarmRestarts(lr, 4, 1, 0)(8); v != lr {
		t.Errorf("restarts of one length: %v", v)
	}
	if ConstantLR(lr)(99) != lr {
		t.Error("a constant changes")
	}
}

func TestSchedulesRefuse(t *testing.T) {
	for name, f := range map[string]func() Schedule{
		"SequentialLR":                       func() Schedule { return SequentialLR([]Schedule{ConstantLR(1)}, []int64{1}) },
		"StepLR":                             func() Schedule { return StepLR(1, 0, 0.5) },
		"CosineAnnealingLR":                  func() Schedule { return CosineAnnealingLR(1, 0, 0) },
		"LinearLR":                           func() Schedule { return LinearLR(1, 0, 1, -1) },
		"PolynomialLR":                       func() Schedule { return PolynomialLR(1, 0, 1) },
		"OneCycleLR":                         func() Schedule { return OneCycleLR(1, 0, OneCycleOptions{}) },
		"OneCycleLR, no rise":                func() Schedule { return OneCycleLR(1, 3, OneCycleOptions{}) },
		"OneCycleLR, no fall":                func() Schedule { return OneCycleLR(1, 20, OneCycleOptions{Rise: 1}) },
		"CosineAnnealingWarmRestarts":        func() Schedule { return CosineAnnealingWarmRestarts(1, 0, 2, 0) },
		"CosineAnnealingWarmRestarts factor": func() Schedule { return CosineAnnealingWarmRestarts(1, 4, 0, 0) },
	} {
		var err *Error
		if !errors.As(Try(func() { f() }), &err) || !strings.HasPrefix(name, err.Op) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
