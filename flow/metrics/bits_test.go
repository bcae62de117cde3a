package metrics

import (
	"math"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/flow"
)

// Whole numbers under a density that is uniform over all cells cost log2 L bits.
func TestBitsOfTheUniformDensity(t *testing.T) {
	for _, levels := range []int{2, 17, 256} {
		const dim = 5
		// L cells of 2/(L-1) each.
		logP := -dim * math.Log(2*float64(levels)/float64(levels-1))
		bits, stderr := BitsPerDim([]float64{logP, logP, logP}, dim, levels)
		if math.Abs(bits-math.Log2(float64(levels))) > 1e-12 || stderr > 1e-12 {
			t.Errorf("%d levels: %v, %v", levels, bits, stderr)
		}
	}
}

// Under N(0, I) a level whose cell lies around c and is w wide costs
// (ln(2 pi) + c^2 + w^2/12) / (2 ln 2) + log2(1/w) bits, by Jensen's bound.
func TestBitsOfTheNormalDensity(t *testing.T) {
	const dim, images = 4, 20000
	for _, c := range []struct {
		level  uint8
		levels int
	}{{0, 256}, {128, 256}, {16, 17}, {0, 2}} {
		pixels, x := []uint8{c.level, c.level, c.level, c.level}, make([]float32, dim)
		logP := make([]float64, images)
		for i := range logP {
			Dequantise(x, pixels, c.levels, 3, int64(i))
			for _, v := range x {
				logP[i] -= (math.Log(2*math.Pi) + float64(v)*float64(v)) / 2
			}
		}
		w := 2 / float64(c.levels-1)
		at := w*float64(c.level) - 1
		want := (math.Log(2*math.Pi)+at*at+w*w/12)/(2*math.Ln2) - math.Log2(w)
		bits, stderr := BitsPerDim(logP, dim, c.levels)
		if math.Abs(bits-want) > 5*stderr || stderr <= 0 {
			t.Errorf("%+v: %v +- %v, want %v", c, bits, stderr, want)
		}
	}
}

// Levels become numbers of their own cells, which touch and do not overlap.
func TestDequantise(t *testing.T) {
	const levels = 17
	lowest, highest := [levels]float64{}, [levels]float64{}
	for k := range levels {
		lowest[k], highest[k] = math.Inf(1), math.Inf(-1)
		x := make([]float32, 1)
		for i := range int64(5000) {
			Dequantise(x, []uint8{uint8(k)}, levels, 9, i)
			lowest[k], highest[k] = min(lowest[k], float64(x[0])), max(highest[k], float64(x[0]))
		}
		low, high := (float64(k)-0.5)/8-1, (float64(k)+0.5)/8-1
		if lowest[k] < low || highest[k] > high+1e-7 || lowest[k] > low+1e-3 || highest[k] < high-1e-3 {
			t.Errorf("level %d fills [%v,%v], want [%v,%v]", k, lowest[k], highest[k], low, high)
		}
	}
	a, b := make([]float32, 2), make([]float32, 2)
	Dequantise(a, []uint8{3, 3}, levels, 1, 0)
	Dequantise(b, []uint8{3, 3}, levels, 1, 1)
	if a[0] == a[1] || a[0] == b[0] {
		t.Errorf("the same u for different pixels: %v %v", a, b)
	}
}

func TestMean(t *testing.T) {
	// 1, 2, 3, 6: mean 3, squared deviations 4+1+0+9 = 14, over 3, over 4.
	mean, stderr := Mean([]float64{1, 2, 3, 6})
	if mean != 3 || math.Abs(stderr-math.Sqrt(14.0/12)) > 1e-15 {
		t.Errorf("%v, %v", mean, stderr)
	}
	if m, _ := Mean(nil); !math.IsNaN(m) {
		t.Errorf("the mean of nothing is %v", m)
	}
	if a := Accuracy([]int64{1, 2, 3, 4}, []int64{1, 2, 0, 4}); a != 0.75 {
		t.Errorf("accuracy %v", a)
	}
}

// A model that does not move leaves N(0, I): its log-densities, by solver and
// Hutchinson's estimate, give the bits of the closed form for the same numbers.
func TestBitsOfAStillModel(t *testing.T) {
	const n, dim, levels = 30, 12, 17
	x, logP := make([]float32, n*dim), make([]float64, n)
	for i := range n {
		pixels := make([]uint8, dim)
		for k := range pixels {
			pixels[k] = uint8((i*5 + k*3) % levels)
		}
		Dequantise(x[i*dim:(i+1)*dim], pixels, levels, 1, int64(i))
		for _, v := range x[i*dim : (i+1)*dim] {
			logP[i] -= (math.Log(2*math.Pi) + float64(v)*float64(v)) / 2
		}
	}
	solver, err := flow.NewSolver(flow.SolverConfig{Method: "midpoint", Steps: 20})
	if err != nil {
		t.Fatal(err)
	}
	still := flow.Velocity(func(x, _, _ torch.Tensor) torch.Tensor { return torch.MulScalar(x, 0) })
	l := flow.Likelihood{Velocity: still, Solver: solver, Shape: []int64{3, 2, 2}, Probes: 1, Batch: 7}
	d, err := l.LogDensity(t.Context(), x, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, gotErr := BitsPerDim(d.LogP, dim, levels)
	want, wantErr := BitsPerDim(logP, dim, levels)
	if math.Abs(got-want) > 1e-6 || math.Abs(gotErr-wantErr) > 1e-6 {
		t.Errorf("%v +- %v, want %v +- %v", got, gotErr, want, wantErr)
	}
}
