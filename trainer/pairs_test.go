package trainer

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/flow"
	"flowmatch/models"
)

// drift is a teacher whose flow adds its class and a half to every number. It
// counts the samples that it is asked for.
type drift struct{ calls *int }

var counting sync.Mutex // of drift's calls, which come from several cores

func (d drift) Velocity(x, t, y torch.Tensor) torch.Tensor {
	counting.Lock()
	*d.calls += int(x.Shape()[0])
	counting.Unlock()
	v := torch.AddScalar(torch.ZerosLike(x), 0.5)
	if y.T != nil {
		v = torch.Add(v, y.CastTo(torch.Float).View(-1, 1), 1)
	}
	return v
}

func driftTeacher(t *testing.T, classes int, calls *int) Teacher {
	t.Helper()
	s, err := flow.NewSolver(flow.SolverConfig{Method: "midpoint", Steps: 3})
	if err != nil {
		t.Fatal(err)
	}
	return Teacher{Velocity: drift{calls}.Velocity, Solver: s, Device: torch.CPU, Shape: []int64{2}, Classes: classes, Batch: 7}
}

// take gives the numbers of batches first to last.
func take(t *testing.T, s Source, n int) (x0, x1 []float32, y []int64) {
	t.Helper()
	for range n {
		torch.Scoped(func() {
			b, err := s.Batch()
			if err != nil {
				t.Fatal(err)
			}
			x0, x1 = append(x0, torch.ToSlice[float32](b.X0)...), append(x1, torch.ToSlice[float32](b.X1)...)
			if b.Y.T != nil {
				y = append(y, torch.ToSlice[int64](b.Y)...)
			}
		})
	}
	return x0, x1, y
}

func checkPairs(t *testing.T, x0, x1 []float32, y []int64) {
	t.Helper()
	for i := range x0 {
		want := x0[i] + 0.5
		if y != nil {
			want += float32(y[i/2])
		}
		if d := x1[i] - want; d > 1e-5 || d < -1e-5 {
			t.Fatalf("number %d: noise %v went to %v, want %v", i, x0[i], x1[i], want)
		}
	}
}

func TestFreshPairs(t *testing.T) {
	calls := 0
	c := config(10)
	c.BatchSize = 6
	c.Reflow = &ReflowConfig{Round: 1}
	teacher := driftTeacher(t, 3, &calls)
	x0, x1, y := take(t, teacher.Fresh(c, 0), 4)
	checkPairs(t, x0, x1, y)
	seen := map[float32]bool{}
	for _, v := range x0 {
		seen[v] = true
	}
	if len(seen) != len(x0) {
		t.Error("noise was used twice")
	}
	// From batch 2 on it is the same.
	later, _, _ := take(t, teacher.Fresh(c, 2), 2)
	for i, v := range later {
		if v != x0[24+i] {
			t.Fatalf("batch 2 differs when it comes first")
		}
	}
	// Neither a sample drawn with the run's seed nor the next round has it.
	sample := make([]float32, 2)
	flow.Noise(sample, c.Seed, 0)
	c.Reflow = &ReflowConfig{Round: 2}
	next, _, _ := take(t, teacher.Fresh(c, 0), 1)
	if seen[sample[0]] || seen[next[0]] {
		t.Error("the noise of samples, or of another round, is used for pairs")
	}
}

// TestGuidedPairs: of the drift y + 1/2 and the null class 5, guidance by 3 makes
// 5.5 + 3 (y - 5).
func TestGuidedPairs(t *testing.T) {
	calls := 0
	c := config(10)
	c.BatchSize = 6
	c.Reflow = &ReflowConfig{Guidance: "3", Pairs: 12, Round: 1}
	teacher := driftTeacher(t, 3, &calls)
	teacher.Guidance = &flow.Guidance{Scale: 3, Null: 5}
	check := func(x0, x1 []float32, y []int64) {
		t.Helper()
		for i := range x0 {
			if want := x0[i] + 5.5 + 3*(float32(y[i/2])-5); math.Abs(float64(x1[i]-want)) > 1e-4 {
				t.Fatalf("number %d: noise %v went to %v, want %v", i, x0[i], x1[i], want)
			}
		}
	}
	check(take(t, teacher.Fresh(c, 0), 4))
	p := &Pairs{Teacher: teacher, Config: *c.Reflow, Seed: c.Seed, Dir: filepath.Join(t.TempDir(), PairsDir), PerFile: 8}
	load := func() (notes []string) {
		if err := p.Load(context.Background(), func(int, int) {}, func(s string) { notes = append(notes, s) }); err != nil {
			t.Fatal(err)
		}
		return notes
	}
	if notes := load(); notes != nil {
		t.Errorf("%q", notes)
	}
	s, err := p.Source(c, 0)
	if err != nil {
		t.Fatal(err)
	}
	check(take(t, s, 2))
	// Pairs of another guidance are others.
	p.Config.Guidance = ""
	if notes := load(); len(notes) == 0 || !strings.Contains(notes[0], "other pairs") {
		t.Errorf("%q", notes)
	}
}

func TestKeptPairs(t *testing.T) {
	calls := 0
	c := config(10)
	c.BatchSize = 8
	c.Reflow = &ReflowConfig{Teacher: "t", Solver: "s", Pairs: 20, Round: 1}
	dir := filepath.Join(t.TempDir(), PairsDir)
	open := func(reflow ReflowConfig) (*Pairs, []string) {
		var notes []string
		p := &Pairs{Teacher: driftTeacher(t, 3, &calls), Config: reflow, Seed: c.Seed, Dir: dir, PerFile: 8}
		last := 0
		if err := p.Load(context.Background(), func(done, of int) { last = done }, func(s string) { notes = append(notes, s) }); err != nil {
			t.Fatal(err)
		}
		if last != reflow.Pairs || p.Ready() != reflow.Pairs {
			t.Errorf("%d pairs are told of and %d ready of %d", last, p.Ready(), reflow.Pairs)
		}
		return p, notes
	}
	p, notes := open(*c.Reflow)
	if calls == 0 || len(notes) > 0 {
		t.Fatalf("%d evaluations; %v", calls, notes)
	}
	s, err := p.Source(c, 0)
	if err != nil {
		t.Fatal(err)
	}
	x0, x1, y := take(t, s, 4) // two epochs of two batches
	checkPairs(t, x0, x1, y)
	seen := map[float32]int{}
	for _, v := range x0[:32] {
		seen[v]++
	}
	if len(seen) != 32 {
		t.Error("an epoch has a pair twice")
	}
	s, _ = p.Source(c, 3)
	if later, _, _ := take(t, s, 1); later[0] != x0[48] {
		t.Error("batch 3 differs when it comes first")
	}

	// Read back, nothing is solved; for distillation too.
	calls = 0
	distill := *c.Reflow
	distill.Distill = true
	if again, notes := open(distill); calls != 0 || len(notes) > 0 || again.x1[5] != p.x1[5] || again.y[4] != 1 {
		t.Errorf("%d evaluations; %v", calls, notes)
	}
	// A damaged file and one of another teacher are drawn anew, and it is said.
	name := filepath.Join(dir, "00001.safetensors")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-9] ^= 1
	if err := os.WriteFile(name, b, 0o666); err != nil {
		t.Fatal(err)
	}
	if again, notes := open(*c.Reflow); calls == 0 || len(notes) != 1 || !strings.Contains(notes[0], "00001") || again.x1[20] != p.x1[20] {
		t.Errorf("%d evaluations; %v", calls, notes)
	}
	other := *c.Reflow
	other.Teacher = "u"
	if _, notes := open(other); len(notes) != 3 || !strings.Contains(notes[0], "other pairs") {
		t.Errorf("%v", notes)
	}
	c.BatchSize = 21
	if _, err := p.Source(c, 0); err == nil {
		t.Error("a batch larger than the set of pairs")
	}
}

// A stop while pairs are drawn keeps the files that are whole.
func TestPairsStopped(t *testing.T) {
	calls := 0
	p := &Pairs{Teacher: driftTeacher(t, 0, &calls), Config: ReflowConfig{Pairs: 20, Round: 1}, Seed: 1, Dir: t.TempDir(), PerFile: 8}
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := errors.New("enough")
	err := p.Load(ctx, func(done, of int) {
		if done > 8 && done < 16 { // within the second file
			cancel(stop)
		}
	}, func(string) {})
	if !errors.Is(err, stop) || p.Ready() != 8 {
		t.Fatalf("%v with %d pairs ready", err, p.Ready())
	}
	calls = 0
	if err := p.Load(context.Background(), func(int, int) {}, func(string) {}); err != nil || calls != 12*6 {
		t.Errorf("%v after %d evaluations, want those of 12 pairs", err, calls)
	}
}

// A student of one step learns the whole way: after distillation one Euler step
// is the teacher's flow.
func TestDistill(t *testing.T) {
	calls := 0
	c := config(400)
	c.BatchSize, c.LearningRate, c.EMADecay = 64, 1e-2, 0
	c.Reflow = &ReflowConfig{Pairs: 512, Round: 1, Distill: true}
	r := planeRun(t, c, t.TempDir())
	p := &Pairs{Teacher: driftTeacher(t, 0, &calls), Config: *c.Reflow, Seed: c.Seed, Dir: t.TempDir(), PerFile: 512}
	if err := p.Load(context.Background(), func(int, int) {}, func(string) {}); err != nil {
		t.Fatal(err)
	}
	r.Open = func(c Config, _ torch.Device, start int) (Source, error) { return p.Source(c, start) }
	res, err := r.Train(context.Background(), nil)
	if err != nil || res.TimeLosses != nil {
		t.Fatalf("%v, losses by time %v", err, res.TimeLosses)
	}
	torch.Scoped(func() {
		torch.NoGrad(func() {
			x := torch.FromSlice([]float32{0.3, -1, 2, 0}, 2, 2)
			for i, v := range torch.ToSlice[float32](r.Network.(*models.MLP).Velocity(x, torch.Zeros([]int64{2}, torch.Options{}), torch.Tensor{})) {
				if v < 0.45 || v > 0.55 {
					t.Errorf("velocity %d at t = 0 is %v, want 0.5", i, v)
				}
			}
		})
	})
}
