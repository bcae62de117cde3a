package trainer

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
	"flowmatch/datasets/plane"
	"flowmatch/models"
)

// What a step gives a GPU to do is counted on the stand-in for one (scripts/stand-in),
// which shows it to a profile: each is a launch, or a few. The numbers may fall; a rise
// is work that was not there. Casts are those of one tensor. SiLU takes the bias of the layer
// before it, whose gradient its own launch sums for up to 1024 rows; libtorch adds the bias in
// the product, and sums its gradient by a launch for each layer.
func TestGPULaunchesOfAStep(t *testing.T) {
	d := gpu(t)
	if torch.CUDADeviceInfo(d).Name != "stand-in" {
		t.Skip("only the stand-in shows what it is given")
	}
	moons, err := plane.Open("moons")
	if err != nil {
		t.Fatal(err)
	}
	digits, err := datasets.Digits()
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name      string
		set       datasets.Set
		network   models.Config
		precision string
		most      launches
	}{
		{"points", moons, models.MLPConfig{HiddenDim: 32}, "tf32", launches{52, 1, 0, 1}},
		{"UNet", digits, small(), "bf16", launches{278, 22, 7, 1}},
		{"DiT", digits, models.DiTConfig{Channels: 1, Size: 8, PatchSize: 2, Width: 64, Depth: 2, NumHeads: 2, NumClasses: 10}, "bf16", launches{207, 33, 3, 1}},
	} {
		t.Run(step.name, func(t *testing.T) {
			c := config(4)
			c.Precision = step.precision
			if step.name == "points" {
				c.BatchSize, c.StableTargets, c.StratifiedTimes = 64, true, true
			}
			n, err := step.network.Build()
			if err != nil {
				t.Fatal(err)
			}
			n.To(d)
			src, err := Data(step.set)(c, d, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			onStream(d, true, func() {
				e := newEngine(c, n, d)
				defer e.close()
				e.diagnostics = []Diagnostic{newTimeLoss(d, e.slots)}
				var got launches
				var by map[string]int
				for k := range 3 {
					got, by = launches{}, map[string]int{}
					for _, o := range torch.Profile(func() {
						if err := e.step(k, src); err != nil {
							t.Fatal(err)
						}
					}) {
						got.add(o, by)
					}
				}
				if m := step.most; got.all > m.all || got.casts > m.casts || got.copies > m.copies || got.fills > m.fills {
					t.Errorf("%+v, at most %+v were there before", got, m)
				}
				t.Logf("%+v, %+v before: %s", got, step.most, histogram(by))
			})
		})
	}
}

// launches are what a GPU is given: all of it, and of this what computes nothing.
type launches struct{ all, casts, copies, fills int }

func (l *launches) add(o torch.OperationProfile, by map[string]int) {
	name, ok := strings.CutPrefix(o.Name, "gpu::")
	if !ok {
		return
	}
	by[name] = o.Calls
	l.all += o.Calls
	switch {
	case name == "cast":
		l.casts += o.Calls
	case strings.HasPrefix(name, "copy"):
		l.copies += o.Calls
	case name == "aten::fill_", name == "aten::zero_":
		l.fills += o.Calls
	}
}

func histogram(by map[string]int) string {
	var all []string
	for _, name := range slices.SortedFunc(maps.Keys(by), func(a, b string) int { return cmp.Or(by[b]-by[a], strings.Compare(a, b)) }) {
		all = append(all, fmt.Sprintf("%d %s", by[name], strings.TrimPrefix(name, "aten::")))
	}
	return strings.Join(all, ", ")
}
