package flow

import (
	"math"
	"slices"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

// On a line the best pairs are those of equal rank.
func TestMinibatchOTOnALine(t *testing.T) {
	const n = 200
	x := make([]float32, 2*n)
	Noise(x, 1, 0)
	order := MinibatchOT{}.Pair(x[:n], x[n:], n, nil)
	rank := func(v []float32, i int) (r int) {
		for _, w := range v {
			if w < v[i] {
				r++
			}
		}
		return r
	}
	for i, j := range order {
		if a, b := rank(x[n:], i), rank(x[:n], int(j)); a != b {
			t.Fatalf("data of rank %d with noise of rank %d", a, b)
		}
	}
}

// Classes 0 and 1 lie left and right. Paired without their classes, noise of class
// 0 is the left half; within the classes its mean stays that of all noise.
func TestMinibatchOTKeepsThePrior(t *testing.T) {
	const n = 400
	x0, x1, y := make([]float32, 2*n), make([]float32, 2*n), make([]int64, n)
	Noise(x0, 1, 0)
	for i := range n {
		y[i] = int64(i % 2)
		x1[2*i] = float32(10*y[i] - 5)
	}
	mean := func(order []int32) (m float64) {
		for i, j := range order {
			if y[i] == 0 {
				m += float64(x0[2*j]) / (n / 2)
			}
		}
		return m
	}
	// The mean of half a normal distribution is -sqrt(2/pi) = -.80; five standard
	// errors of 200 numbers are .35.
	blind := mean(MinibatchOT{}.Pair(x0, x1, n, nil))
	if math.Abs(blind+math.Sqrt(2/math.Pi)) > 0.35 {
		t.Errorf("without classes the mean is %v", blind)
	}
	order := MinibatchOT{}.Pair(x0, x1, n, y)
	if m := mean(order); math.Abs(m) > 0.35 {
		t.Errorf("the noise of class 0 has the mean %v", m)
	}
	for i, j := range order {
		if y[i] != y[j] {
			t.Fatalf("data of class %d with noise that was drawn for %d", y[i], y[j])
		}
	}
	if s := slices.Sorted(slices.Values(order)); s[0] != 0 || s[n-1] != n-1 || len(slices.Compact(s)) != n {
		t.Error("not every noise goes with one data point")
	}
}

// Drawn by an objective: the same noise, in the order that is nearest to the data.
func TestMinibatchOTDraws(t *testing.T) {
	const n = 32
	x1 := make([]float32, 2*n)
	Noise(x1, 4, 0)
	torch.Scoped(func() {
		data := torch.FromSlice(x1, n, 2)
		draw := func(c Coupling) []float32 {
			gen := torch.NewGenerator(torch.CPU, 7)
			defer gen.Close()
			_, _, u, _ := Objective{Coupling: c}.Draw(gen, torch.Tensor{}, data, torch.Tensor{})
			return torch.ToSlice[float32](torch.Sub(data, u, 1)) // x0
		}
		alone, paired := draw(nil), draw(MinibatchOT{})
		for i, j := range (MinibatchOT{}).Pair(alone, x1, n, nil) {
			for k := range 2 {
				if math.Abs(float64(paired[2*i+k]-alone[2*int(j)+k])) > 1e-6 {
					t.Errorf("noise %d is %v, want that of %d, %v", i, paired[2*i:2*i+2], j, alone[2*j:2*j+2])
				}
			}
		}
	})
}

func TestNewCoupling(t *testing.T) {
	for _, name := range Couplings() {
		if c, err := NewCoupling(name); err != nil || c.String() != name {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
	if c, err := NewCoupling(""); err != nil || c != (Independent{}) {
		t.Errorf("%v, %v", c, err)
	}
	if _, err := NewCoupling("sinkhorn"); err == nil {
		t.Error("sinkhorn")
	}
	if err := (Objective{Coupling: MinibatchOT{}, StableTargets: true}).Check(); err == nil {
		t.Error("averaged targets of paired noise")
	}
}
