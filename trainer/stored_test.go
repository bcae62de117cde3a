package trainer

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/weights"

	"flowmatch/flow"
	"flowmatch/models"
)

// storedSource gives batches that lie in memory: x0, x1: [N,B,...], y: [N,B] or
// none.
type storedSource struct {
	x0, x1, y torch.Tensor
	next      int64
	device    torch.Device
}

func (s *storedSource) Batch() (Batch, error) {
	at := func(x torch.Tensor) torch.Tensor { return torch.Select(x, 0, s.next).To(s.device) }
	b := Batch{X0: at(s.x0), X1: at(s.x1)}
	if s.y.T != nil {
		b.Y = at(s.y)
	}
	s.next++
	return b, nil
}

func (s *storedSource) Waited() time.Duration { return 0 }
func (s *storedSource) Close()                {}

// storedTimes are t: [N,B], one row a step.
type storedTimes struct {
	t    torch.Tensor
	next *int64
}

func (s storedTimes) Sample(_ *torch.Generator, _ int64, d torch.Device) torch.Tensor {
	t := torch.Select(s.t, 0, *s.next).To(d)
	*s.next++
	return t
}

// stored is a run whose every random number is given: a state dict under the
// prefix model., and x0, x1, t, and y where the network takes labels.
type stored struct {
	Network models.UNetConfig
	Points  *models.MLPConfig // instead, for points of the plane
	Config  Config
	tensors *weights.Dict
}

func (s stored) tensor(t *testing.T, name string) torch.Tensor {
	t.Helper()
	w := s.tensors.Get(name)
	if w == nil {
		t.Fatalf("there is no %s", name)
	}
	x, err := torch.FromWeights(w)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// run does the run's steps on the device and gives their losses and norms.
func (s stored) run(t *testing.T, d torch.Device) (losses, norms []float32) {
	var u models.Network
	var err error
	if s.Points != nil {
		u, err = models.NewMLP(*s.Points)
	} else {
		u, err = models.NewUNet(s.Network)
	}
	if err != nil {
		t.Fatal(err)
	}
	u.To(d)
	e := newEngine(s.Config, u, d)
	defer e.close()
	torch.NoGrad(func() {
		for i, name := range e.names {
			x := s.tensor(t, partModel+name)
			e.params[i].CopyI(x)
			if e.ema != nil {
				e.ema[i].CopyI(x)
			}
		}
	})
	src := &storedSource{x0: s.tensor(t, "x0"), x1: s.tensor(t, "x1"), device: d}
	if e.classes {
		src.y = s.tensor(t, "y")
	}
	e.objective.Times = storedTimes{s.tensor(t, "t"), new(int64)}
	steps := int(src.x1.Shape()[0])
	for k := range steps {
		if err := e.step(k, src); err != nil {
			t.Fatal(err)
		}
		if e.filled == e.slots || k == steps-1 {
			l, n := e.read()
			losses, norms = append(losses, l...), append(norms, n...)
		}
	}
	return losses, norms
}

// What a run draws itself, stored and given to a second one, gives the same
// losses: then storedSource and storedTimes replace nothing else.
//
// With FLOWMATCH_STORED=DIR the run is the one in DIR/stored.pth and
// DIR/stored.json, on the GPU with GOTORCH_TEST_CUDA=1, and its losses go to
// DIR/losses.json: scripts/gpu-check holds them beside PyTorch's.
func TestStoredNoise(t *testing.T) {
	if dir := os.Getenv("FLOWMATCH_STORED"); dir != "" {
		storedFromFile(t, dir)
		return
	}
	const steps = 4
	c, n := config(steps), small()
	r := newRun(t, c, n, t.TempDir())
	e := newEngine(c, r.Network, torch.CPU)
	defer e.close()
	s := stored{Network: n, Config: c, tensors: &weights.Dict{}}
	for _, p := range nn.Tensors(r.Network) {
		w, err := torch.ToWeights(p.Tensor)
		if err != nil {
			t.Fatal(err)
		}
		s.tensors.Set(partModel+p.Name, w)
	}
	src, err := r.Open(r.Config, torch.CPU, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var kept [4][]torch.Tensor // x0, x1, y, t
	for m := range uint64(steps) {
		b, err := src.Batch()
		if err != nil {
			t.Fatal(err)
		}
		e.gen.Seed(flow.Mix(uint64(c.Seed), m, drawNoise))
		x0 := flow.Independent{}.Noise(e.gen, b.X1, b.Y)
		for i, x := range []torch.Tensor{x0, b.X1, b.Y, flow.UniformTimes{}.Sample(e.gen, int64(c.BatchSize), torch.CPU)} {
			kept[i] = append(kept[i], torch.Clone(x))
		}
	}
	for i, name := range []string{"x0", "x1", "y", "t"} {
		w, err := torch.ToWeights(torch.Stack(kept[i], 0))
		if err != nil {
			t.Fatal(err)
		}
		s.tensors.Set(name, w)
	}
	got, gotNorms := s.run(t, torch.CPU)

	again, err := r.Open(r.Config, torch.CPU, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for k := range steps {
		if err := e.step(k, again); err != nil {
			t.Fatal(err)
		}
	}
	want, wantNorms := e.read()
	for i := range want {
		if got[i] != want[i] || gotNorms[i] != wantNorms[i] {
			t.Errorf("step %d: loss %v, norm %v; want %v, %v", i+1, got[i], gotNorms[i], want[i], wantNorms[i])
		}
	}
}

func storedFromFile(t *testing.T, dir string) {
	d := torch.CPU
	if os.Getenv("GOTORCH_TEST_CUDA") == "1" {
		if ok, why := torch.CUDAStatus(); !ok {
			t.Fatal("GOTORCH_TEST_CUDA=1, but CUDA is off: " + why)
		}
		d = torch.NewDevice("cuda")
		torch.AllowTF32(false)
	}
	var s stored
	b, err := os.ReadFile(filepath.Join(dir, "stored.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	f, err := pth.Read(filepath.Join(dir, "stored.pth"))
	if err != nil {
		t.Fatal(err)
	}
	s.tensors = f.Tensors
	losses, norms := s.run(t, d)
	for i := range losses {
		if math.IsNaN(float64(losses[i])) || math.IsNaN(float64(norms[i])) {
			t.Fatalf("step %d is not finite", i+1)
		}
	}
	if b, err = json.Marshal(map[string]any{"losses": losses, "norms": norms, "device": fmt.Sprint(d)}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "losses.json"), b, 0o666); err != nil {
		t.Fatal(err)
	}
}
