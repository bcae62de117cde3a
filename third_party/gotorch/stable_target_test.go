package gotorch

import (
	"errors"
	"fmt"
	"math"
	"testing"
)

// stableCase is points among which some lie close to each other, in clusters
// whose distance is far beyond what the noise spans.
type stableCase struct {
	points, dims int64
	ratio        float64
}

var stableCases = []stableCase{
	{1, 2, 1}, {5, 2, 0.5}, {16, 2, 0}, {37, 2, 3}, {64, 1, 1}, {50, 3, 2}, {33, 20, 1},
	{1000, 2, 1}, {1024, 2, 100}, {1025, 2, 0.1}, {2500, 2, 4}, {1100, 100, 0.1}, {200, 2, 1e4},
}

// tensors are x0, x1 and ratio; strided: as parts of wider tensors.
func (c stableCase) tensors(strided bool) (x0, x1, ratio Tensor) {
	shape := []int64{c.points, c.dims}
	x0 = source{Shape: shape, K: 1, Scale: 3}.tensor()
	x1 = Add(source{Shape: shape, K: 2, Scale: 2}.tensor(), source{Shape: []int64{c.points, 1}, K: 3, Scale: 20}.tensor(), 1)
	ratio = MulScalar(source{Shape: []int64{c.points}, K: 4, Scale: 0.5, Offset: 1}.tensor(), c.ratio)
	if strided {
		x0, x1 = Narrow(Cat([]Tensor{x0, x0}, 1), 1, 0, c.dims), Transpose(Contiguous(Transpose(x1, 0, 1)), 0, 1)
		ratio = Select(Stack([]Tensor{ratio, ratio}, 1), 1, 1)
	}
	return x0, x1, ratio
}

// The formula in float64.
func TestKernelStableTarget(t *testing.T) {
	for i, c := range stableCases {
		t.Run(fmt.Sprint(c), func(t *testing.T) { c.check(t, CPU, i%2 == 1) })
	}
}

func (c stableCase) check(t *testing.T, on Device, strided bool) {
	Scoped(func() {
		x0, x1, ratio := c.tensors(strided)
		got := ToSlice[float32](RawStableTarget(x0.To(on), x1.To(on), ratio.To(on)).To(CPU))
		noise, data, r := ToSlice[float32](x0), ToSlice[float32](x1), ToSlice[float32](ratio)
		n, d := int(c.points), int(c.dims)
		var off, size float64
		rows := []int{0, n / 3, n - 1}
		if n*n*d < 1<<22 {
			rows = rows[:0]
			for i := range n {
				rows = append(rows, i)
			}
		}
		for _, i := range rows {
			squares := make([]float64, n)
			least := math.Inf(1)
			for j := range n {
				for k := range d {
					z := float64(r[i])*(float64(data[i*d+k])-float64(data[j*d+k])) + float64(noise[i*d+k])
					squares[j] += z * z
				}
				least = min(least, squares[j])
			}
			sum, want := 0.0, make([]float64, d)
			for j := range n {
				w := math.Exp((least - squares[j]) / 2)
				sum += w
				for k := range d {
					want[k] += w * (float64(data[j*d+k]) - float64(data[i*d+k]))
				}
			}
			for k := range d {
				e := float64(got[i*d+k]) - want[k]/sum
				off, size = off+e*e, size+want[k]*want[k]/sum/sum
			}
		}
		// float32 squares of up to 1e3 are off by 1e-4, and so are weights; those of many
		// dimensions are larger.
		if limit := 1e-5 * (1 + c.ratio) * max(1, float64(d)/100); !(math.Sqrt(off) <= limit*math.Sqrt(size)+1e-30) {
			t.Errorf("off by %.2g of %.2g", math.Sqrt(off), math.Sqrt(size))
		} else {
			t.Logf("off by %.2g of %.2g", math.Sqrt(off), math.Sqrt(size))
		}
	})
}

func TestKernelStableTargetThreads(t *testing.T) {
	n := NumThreads()
	defer SetNumThreads(int32(n))
	Scoped(func() {
		x0, x1, ratio := stableCase{1500, 2, 2}.tensors(false)
		var first Tensor
		for _, threads := range []int32{1, 2, 5} {
			SetNumThreads(threads)
			Scoped(func() { // takes the number
				got := RawStableTarget(x0, x1, ratio)
				if first.T == nil {
					first = Keep(got)
				} else if !Equal(got, first) {
					t.Errorf("%d threads: other targets", threads)
				}
			})
		}
	})
}

func TestKernelStableTargetRefuses(t *testing.T) {
	Scoped(func() {
		x, r := Ones([]int64{3, 2}, false), Ones([]int64{3}, false)
		for name, f := range map[string]func(){
			"shapes that differ": func() { RawStableTarget(x, Ones([]int64{4, 2}, false), r) },
			"ratios that differ": func() { RawStableTarget(x, x, Ones([]int64{2}, false)) },
			"no points":          func() { RawStableTarget(r, r, r) },
			"float64":            func() { RawStableTarget(x.CastTo(Double), x, r) },
		} {
			var e *Error
			if err := Try(f); !errors.As(err, &e) || e.Op != "RawStableTarget" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if y := RawStableTarget(Ones([]int64{0, 2}, false), Ones([]int64{0, 2}, false), Ones([]int64{0}, false)); y.Numel() != 0 {
			t.Error("no rows give some")
		}
	})
}

func TestKernelStableTargetOnLesserProcessors(t *testing.T) {
	onLesserProcessors(t, "^TestKernelStableTarget(|Threads)$")
}
