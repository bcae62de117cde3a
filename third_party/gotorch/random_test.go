package gotorch

import (
	"fmt"
	"strings"
	"testing"
)

// TestRandom draws PyTorch's numbers: in a row from one generator.
func TestRandom(t *testing.T) {
	var f struct {
		Cases []struct {
			Seed  uint64
			Calls []struct {
				Op     string
				N      int64
				Values []float64
			}
		}
	}
	readFixture(t, "random.json", &f)
	if len(f.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range f.Cases {
		g := NewGenerator(CPU, c.Seed)
		for i, call := range c.Calls {
			what := fmt.Sprintf("seed %d, call %d, %s of %d", c.Seed, i, call.Op, call.N)
			shape, tolerance := []int64{call.N}, 1e-9
			var x Tensor
			switch call.Op {
			case "rand":
				x = RandWith(g, shape, Options{})
			case "randn":
				x = RandNWith(g, shape, Options{})
				if call.N >= 16 { // vectorised: processors differ by 1e-6
					tolerance = 1e-5
				}
			case "randint10":
				x = RandIntWith(g, 0, 10, shape, Options{Dtype: Long})
			case "randperm":
				x = RandPermWith(g, call.N)
			default:
				t.Fatalf("the test does not know %s", call.Op)
			}
			near(t, what, x, result{shape, call.Values}, tolerance)
		}
		g.Close()
	}
}

func TestGenerators(t *testing.T) {
	g := NewGenerator(CPU, 7)
	a := RandNWith(g, []int64{5}, Options{})
	g.Seed(7)
	if b := RandNWith(g, []int64{5}, Options{}); !Equal(a, b) {
		t.Error("Seed does not start anew")
	}
	ManualSeed(1)
	before := RandN([]int64{1}, false).Item()
	if before != float32(0.66135216) { // what upstream's tests pin
		t.Errorf("ManualSeed(1); RandN is %v", before)
	}
	RandNWith(g, []int64{5}, Options{})
	ManualSeed(1)
	if after := RandN([]int64{1}, false).Item(); after != before {
		t.Error("a generator of its own moved the default one")
	}
	x := Empty([]int64{1000}, false)
	x.UniformI(2, 3, g)
	if lo, hi := MinAll(x).ItemFloat(), MaxAll(x).ItemFloat(); lo < 2 || hi >= 3 || hi-lo < 0.9 {
		t.Errorf("uniform in [2, 3): %v to %v", lo, hi)
	}
	x.NormalI(5, 0.1, g)
	if m := Mean(x).ItemFloat(); m < 4.98 || m > 5.02 { // five standard errors
		t.Errorf("mean of normal(5, 0.1) is %v", m)
	}
	if p := Mean(Bernoulli(Empty([]int64{10000}, false), 0.3, g)).ItemFloat(); p < 0.277 || p > 0.323 {
		t.Errorf("mean of bernoulli(0.3) is %v", p)
	}
	g.Close()
	g.Close()
	var none *Generator
	none.Close()
	if err := Try(func() { none.Seed(1) }); err == nil || !strings.Contains(err.Error(), "ManualSeed") {
		t.Errorf("seeding none: %v", err)
	}
	if _, ok := mustPanic(t, func() { RandNWith(g, []int64{1}, Options{}) }).(*ReleasedError); !ok {
		t.Error("a closed generator can be used")
	}
}

func TestDropout(t *testing.T) {
	x := Ones([]int64{10000}, true)
	y := Dropout(x, 0.25, true)
	kept := 0
	for _, v := range ToSlice[float32](y) {
		switch v {
		case 0:
		case float32(1 / 0.75):
			kept++
		default:
			t.Fatalf("an element became %v", v)
		}
	}
	if kept < 7280 || kept > 7720 { // five standard deviations
		t.Errorf("%d of 10000 were kept", kept)
	}
	SumAll(y).Backward()
	if !Equal(x.Grad(), y.Detach()) {
		t.Error("the gradient is not the mask")
	}
	if !Equal(Dropout(x, 0.25, false), x) {
		t.Error("it acts outside training")
	}
}
