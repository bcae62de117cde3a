package flow

import (
	"math"
	"slices"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

// What is drawn comes from the generator in the order that is promised, so that
// runs repeat; and x_t, u and the labels are made of it by the formulas.
func TestObjectiveDraws(t *testing.T) {
	const b, seed, null = 64, 5, 3
	x1 := make([]float32, 2*b)
	Noise(x1, 1, 0)
	y := make([]int64, b)
	for i := range y {
		y[i] = int64(i % 3)
	}
	torch.Scoped(func() {
		gen := torch.NewGenerator(torch.CPU, seed)
		x0 := torch.ToSlice[float32](torch.RandNWith(gen, []int64{b, 2}, torch.Options{}))
		u := torch.ToSlice[float32](torch.RandWith(gen, []int64{b}, torch.Options{}))
		drop := torch.ToSlice[float32](torch.RandWith(gen, []int64{b}, torch.Options{}))
		gen.Close()

		o := Objective{Path: OTPath{SigmaMin: 0.1}, Times: LateTimes{Of: StratifiedTimes{}, Power: 2}, ClassDropout: 0.4, Null: null}
		if err := o.Check(); err != nil {
			t.Fatal(err)
		}
		gen = torch.NewGenerator(torch.CPU, seed)
		defer gen.Close()
		gxt, gt, gu, gy := o.Draw(gen, torch.Tensor{}, torch.FromSlice(x1, b, 2), torch.FromSlice(y, b))
		xt, at, vel, label := torch.ToSlice[float32](gxt), torch.ToSlice[float32](gt), torch.ToSlice[float32](gu), torch.ToSlice[int64](gy)
		for i := range b {
			even := 1 - (float64(i)+float64(u[i]))/b
			time := 1 - even*even
			if math.Abs(float64(at[i])-time) > 1e-6 {
				t.Fatalf("time %d is %v, want %v", i, at[i], time)
			}
			want := y[i]
			if drop[i] < 0.4 {
				want = null
			}
			if label[i] != want {
				t.Errorf("label %d is %d, want %d", i, label[i], want)
			}
			for k := 2 * i; k < 2*i+2; k++ {
				velocity := float64(x1[k]) - 0.9*float64(x0[k])
				if math.Abs(float64(vel[k])-velocity) > 1e-6 || math.Abs(float64(xt[k])-(float64(x0[k])+time*velocity)) > 1e-5 {
					t.Errorf("number %d: x %v, u %v, want %v, %v", k, xt[k], vel[k], float64(x0[k])+time*velocity, velocity)
				}
			}
		}
	})
}

// Noise that is given stays with its data, and nothing is drawn for it.
func TestObjectiveOfPairs(t *testing.T) {
	torch.Scoped(func() {
		gen := torch.NewGenerator(torch.CPU, 1)
		defer gen.Close()
		x0, x1 := torch.FromSlice([]float32{1, 2, 3}, 3, 1), torch.FromSlice([]float32{10, 20, 30}, 3, 1)
		xt, at, u, y := Objective{Times: TimeZero{}}.Draw(gen, x0, x1, torch.Tensor{})
		if got := torch.ToSlice[float32](u); !slices.Equal(got, []float32{9, 18, 27}) {
			t.Errorf("velocities %v", got)
		}
		if got := torch.ToSlice[float32](xt); !slices.Equal(got, []float32{1, 2, 3}) {
			t.Errorf("points at t = 0 are %v", got)
		}
		if got := torch.ToSlice[float32](at); !slices.Equal(got, []float32{0, 0, 0}) || y.T != nil {
			t.Errorf("times %v, labels %v", got, y.T)
		}
	})
}

// plain is a path whose targets cannot be averaged.
type plain struct{ Path }

// paired is a coupling.
type paired struct{ Independent }

func TestObjectiveCheck(t *testing.T) {
	for want, o := range map[string]Objective{
		"":           {StableTargets: true, ClassDropout: 0.1, Null: 10},
		"averaged":   {Path: plain{OTPath{}}, StableTargets: true},
		"paired":     {Coupling: paired{}, StableTargets: true},
		"[0,1)":      {ClassDropout: 1},
		"null class": {ClassDropout: 0.1, Null: -1},
	} {
		if err := o.Check(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
}
