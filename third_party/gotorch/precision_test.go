package gotorch

import (
	"math"
	"os"
	"slices"
	"testing"
)

// roundsProducts tells whether this processor computes products in bf16 when it
// may: only then does a test of FullPrecision say anything.
func roundsProducts(t *testing.T) bool {
	t.Helper()
	x := FullWith([]int64{512, 512}, 1+1.0/1024, Options{}) // bf16 has 8 bits
	return MaxAll(Abs(AddScalar(MM(x, x), -512*(1+1.0/1024)*(1+1.0/1024)))).ItemFloat() > 0.5
}

func TestFullPrecision(t *testing.T) {
	if got := Float32MatmulPrecision(); got != "highest" {
		t.Errorf("libtorch starts with %q", got)
	}
	defer SetFloat32MatmulPrecision("highest")
	for _, p := range []string{"medium", "high", "highest"} {
		SetFloat32MatmulPrecision(p)
		if got := Float32MatmulPrecision(); got != p {
			t.Errorf("%q was set, and it is %q", p, got)
		}
		mustPanic(t, func() {
			FullPrecision(func() {
				if got := Float32MatmulPrecision(); got != "highest" {
					t.Errorf("within, it is %q", got)
				}
				panic("out")
			})
		})
		if got := Float32MatmulPrecision(); got != p {
			t.Errorf("%q was left as %q", p, got)
		}
	}
	if err := Try(func() { SetFloat32MatmulPrecision("low") }); err == nil {
		t.Error("low is taken")
	}

	SetFloat32MatmulPrecision("medium")
	if !roundsProducts(t) {
		t.Skip("this processor does not round products")
	}
	FullPrecision(func() {
		if roundsProducts(t) {
			t.Error("products are rounded")
		}
	})
	if !roundsProducts(t) {
		t.Error("products are not rounded any more")
	}
}

// On a CPU nothing changes but the switches; a GPU's test is GPUDeterministic.
func TestUseDeterministicAlgorithms(t *testing.T) {
	before, was := os.LookupEnv(cuBLASWorkspace)
	os.Unsetenv(cuBLASWorkspace)
	defer func() {
		UseDeterministicAlgorithms(false)
		os.Unsetenv(cuBLASWorkspace)
		if was {
			os.Setenv(cuBLASWorkspace, before)
		}
	}()
	TakeWarnings()
	x := FromSlice([]float32{1, 2, 3, 4}, 2, 2)
	sum := func() []float32 {
		return ToSlice[float32](ScatterAdd(Zeros([]int64{2, 2}, Options{}), 0, FromSlice([]int64{0, 0, 0, 1}, 2, 2), x))
	}
	want := sum()
	UseDeterministicAlgorithms(true)
	if got := os.Getenv(cuBLASWorkspace); got != ":4096:8" {
		t.Errorf("cuBLAS is told %q", got)
	}
	if got := sum(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	// New tensors are not filled, which deterministic algorithms do by default.
	if e := Empty([]int64{1 << 16}, false); math.IsNaN(float64(e.Index(0).ItemFloat())) {
		t.Error("new tensors are filled with NaN")
	}
	if w := TakeWarnings(); len(w) > 0 {
		t.Errorf("warnings on a CPU: %v", w)
	}
}
