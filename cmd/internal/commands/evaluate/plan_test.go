package evaluate

import (
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/classifiers"
	"flowmatch/cmd/internal/cli"
	"flowmatch/datasets"
	"flowmatch/flow"
	"flowmatch/models"
	"flowmatch/trainer/trained"
)

// What is measured of images is bounded by what there is to be compared with, and by their
// size; what the user says stands.
func TestPlanned(t *testing.T) {
	for _, c := range []struct {
		name                 string
		shape                []int
		test, asked          int
		solvers, chosen      string
		samples, paths, bits int
		work                 float64
	}{
		{"mnist", []int{1, 28, 28}, 10_000, 0, "euler:1,midpoint:20", "straightness,as_asked,frechet,bits_per_dim", 1000, 1000, 256, 1000*40 + 1000 + 5*256*40},
		{"large images", []int{3, 64, 64}, 1000, 0, "euler:1", "straightness,bits_per_dim", 1000, 100, 256, 100*40 + 5*256*40},
		{"large ones that are judged anyway", []int{3, 64, 64}, 1000, 0, "midpoint:20", "straightness,as_asked", 1000, 1000, 256, 1000 * 40},
		{"one picture", []int{3, 64, 64}, 1, 0, "euler:1", "straightness", 100, 100, 1, 100 * 40},
		{"forty pictures", []int{1, 28, 28}, 40, 0, "euler:1,euler:4", "as_asked", 400, 400, 40, 400 * 5},
		{"as the user says", []int{3, 64, 64}, 1, 700, "euler:1", "straightness", 700, 700, 1, 700 * 40},
		{"nothing was read", []int{1, 28, 28}, -1, 0, "euler:1", "straightness", 1000, 1000, 0, 1000 * 40},
	} {
		f := newFlags()
		f.cmd.Precision, f.numSamples = "fp32", c.asked
		solvers, err := cli.DefaultTolerances().List("--solvers", c.solvers)
		if err != nil {
			t.Fatal(err)
		}
		e := &evaluation{f: f, info: datasets.Info{Name: "folder:x", Shape: c.shape}, solvers: solvers, chosen: map[string]bool{}, device: torch.CPU, file: fileOf(c.shape)}
		for _, m := range strings.Split(c.chosen, ",") {
			e.chosen[m] = true
		}
		sets := &classifiers.Sets{}
		if c.test >= 0 {
			in := datasets.Info{Shape: []int{1, 1, 1}}
			sets.Test = &datasets.Images{Info: in, Pixels: make([]uint8, c.test)}
		}
		p := e.planned(sets)
		if want := (plan{samples: c.samples, paths: c.paths, bits: c.bits}); p != want {
			t.Errorf("%s: %+v, want %+v", c.name, p, want)
		}
		if _, work, unknown := e.work(p); !maps.Equal(work, evaluations{"fp32": c.work}) && !(c.work == 0 && len(work) == 0) || unknown {
			t.Errorf("%s: %v evaluations, want %v", c.name, work, c.work)
		}
	}
	e := &evaluation{f: newFlags(), guidance: &flow.Guidance{Scale: 2, From: 0.2, To: 0.7}}
	if got := e.evaluations(40); got != 60 {
		t.Errorf("%v evaluations, guided in half of the times", got)
	}
}

// Of points all is known but how many evaluations an adaptive solver takes.
func TestPlannedPoints(t *testing.T) {
	for _, c := range []struct {
		asked           int
		solvers, chosen string
		said            string
		work            evaluations
		unknown         bool
	}{
		{0, "euler:1,midpoint:20", "sw2", "20,000 samples by 2 solvers", evaluations{"fp32": 20000 * 41}, false},
		{1000, "midpoint:20", "sw2,straightness", "straightness of 1,000 paths, 1,000 samples by 1 solver", evaluations{"fp32": 1000*40 + 1000*40}, false},
		{500, "dopri5", "sw2", "500 samples by 1 solver", evaluations{}, true},
		{0, "euler:1", "nll", "nll of 4,000 points", evaluations{"fp32": 3 * 4000 * 40}, false},
		{1000, "midpoint:20", "sw2,nll", "1,000 samples by 1 solver, nll of 4,000 points in bf16", evaluations{"fp32": 3 * 4000 * 40, "bf16": 1000 * 40}, false},
		{0, "euler:1", "nll,nll_exact", "nll of 4,000 points, nll_exact of 4,000 points", evaluations{"fp32": 3 * 4000 * 40}, true},
	} {
		f := newFlags()
		f.cmd.Precision, f.numSamples = "fp32", c.asked
		if said, ok := strings.CutSuffix(c.said, " in bf16"); ok {
			c.said, f.cmd.Precision = said, "bf16"
		}
		solvers, err := cli.DefaultTolerances().List("--solvers", c.solvers)
		if err != nil {
			t.Fatal(err)
		}
		e := &evaluation{f: f, info: datasets.Info{Name: "moons", Shape: []int{2}}, solvers: solvers, chosen: map[string]bool{}, device: torch.CPU,
			file: &trained.Model{Config: models.MLPConfig{}.Defaults()}}
		for _, m := range strings.Split(c.chosen, ",") {
			e.chosen[m] = true
		}
		said, work, unknown := e.work(e.plannedPoints())
		if strings.Join(said, ", ") != c.said || !maps.Equal(work, c.work) || unknown != c.unknown {
			t.Errorf("%s by %s: %q, %v evaluations, unknown: %v", c.chosen, c.solvers, said, work, unknown)
		}
	}
}

// fileOf is a model of images.
func fileOf(shape []int) *trained.Model {
	return &trained.Model{Config: models.UNetConfig{Channels: shape[0], Size: shape[1]}.Defaults()}
}

// Evaluations are told of as they are done, by whatever core.
func TestCounting(t *testing.T) {
	told := 0
	v := counting(func(x, _, _ torch.Tensor) torch.Tensor { return x }, 10, func(done, of int) {
		if told = done; of != max(10, done) {
			t.Errorf("%d of %d", done, of)
		}
	})
	torch.Scoped(func() {
		x := torch.Zeros([]int64{4, 2}, torch.Options{})
		torch.Parallel(2, func(int) { v(x, x, x) })
		if told != 8 {
			t.Errorf("%d evaluations", told)
		}
		v(x, x, x)
	})
	if told != 12 {
		t.Errorf("%d evaluations", told)
	}
}

// How long a sample takes is told by as many as take a while, which are no more than are
// drawn anyway.
func TestRehearse(t *testing.T) {
	for _, c := range []struct {
		each time.Duration // of a sample
		most int
	}{{0, 300}, {100 * time.Millisecond, 4}} {
		torch.Scoped(func() {
			seen := 0
			e := &evaluation{f: newFlags(), device: torch.CPU, file: fileOf([]int{1, 8, 8})}
			e.f.batchSize = 300
			var mu sync.Mutex
			v := func(x, _, _ torch.Tensor) torch.Tensor {
				mu.Lock()
				defer mu.Unlock()
				seen += int(x.Shape()[0])
				time.Sleep(c.each * time.Duration(x.Shape()[0]))
				return x
			}
			each, err := e.rehearse(t.Context(), plan{samples: 300}, v)
			if err != nil || each < c.each/time.Duration(2*torch.NumThreads()) || c.each == 0 && seen < c.most || c.each > 0 && seen > 2*c.most*torch.NumThreads() {
				t.Errorf("%v a sample: %v by %d samples, %v", c.each, each, seen, err)
			}
		})
	}
}
