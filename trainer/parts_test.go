package trainer

import (
	"math"
	"slices"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/models"
)

// seen keeps what diagnostics are shown.
type seen struct {
	Diagnostic
	v []float32
}

func (s *seen) Batch(v, _, _ torch.Tensor) { s.v = torch.ToSlice[float32](v.Detach()) }

// A batch in parts has the loss, the velocities and the gradients of the whole
// one, and twice the same ones, at sizes that parts divide or do not.
func TestParts(t *testing.T) {
	threads := torch.NumThreads()
	defer torch.SetNumThreads(int32(threads))
	for _, n := range []int{16, 27, -16} { // below 0: a transformer, which has a table beside its parameters
		c := config(3)
		r := newRun(t, c, small(), t.TempDir())
		if n < 0 {
			n = -n
			dit, err := models.NewDiT(models.DiTConfig{Channels: 1, Size: 8, PatchSize: 2, Depth: 1, Width: 32, NumHeads: 2, NumClasses: 10})
			if err != nil {
				t.Fatal(err)
			}
			r.Network = dit
		}
		c.BatchSize = n
		e := newEngine(c, r.Network, torch.CPU)
		defer e.close()
		fillOutput(e)
		shown := &seen{}
		e.diagnostics = []Diagnostic{shown}
		run := func(cores int32) (loss float64, grad, v []float32) {
			torch.SetNumThreads(cores)
			src, err := r.Open(c, torch.CPU, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			torch.Scoped(func() {
				torch.ZeroGrad(e.params)
				l, err := e.gradients(0, src, 0.5)
				if err != nil {
					t.Fatal(err)
				}
				loss = l.ItemFloat()
				for _, p := range e.params {
					if p.RequiresGrad() {
						grad = append(grad, torch.ToSlice[float32](p.Grad())...)
					}
				}
			})
			return loss, grad, shown.v
		}
		wantLoss, want, wantV := run(1)
		for _, cores := range []int32{2, 3} {
			loss, grad, v := run(cores)
			if d := math.Abs(loss-wantLoss) / wantLoss; !(d <= 1e-6) {
				t.Errorf("%d in %d parts: loss %v, want %v", n, cores, loss, wantLoss)
			}
			if d := distance(grad, want); !(d <= 1e-5) {
				t.Errorf("%d in %d parts: the gradient is off by %.2g", n, cores, d)
			}
			if d := distance(v, wantV); !(d <= 1e-5) {
				t.Errorf("%d in %d parts: velocities are off by %.2g", n, cores, d)
			}
			if _, again, _ := run(cores); !slices.Equal(again, grad) {
				t.Errorf("%d in %d parts: the gradient is another one the second time", n, cores)
			}
		}
	}
}

func distance(got, want []float32) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	var off, size float64
	for i := range want {
		d := float64(got[i]) - float64(want[i])
		off, size = off+d*d, size+float64(want[i])*float64(want[i])
	}
	return math.Sqrt(off / size)
}

// What cannot be cut, is not.
func TestPartsOfWhat(t *testing.T) {
	threads := torch.NumThreads()
	defer torch.SetNumThreads(int32(threads))
	torch.SetNumThreads(4)
	images, err := models.NewUNet(small())
	if err != nil {
		t.Fatal(err)
	}
	points, err := models.NewMLP(models.MLPConfig{HiddenDim: 8})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		e       *engine
		n, want int64
	}{
		{"images", &engine{network: images}, 128, 4},
		{"few images", &engine{network: images}, 27, 3},
		{"one image", &engine{network: images}, 1, 1},
		{"dropout", &engine{network: images, dropout: true}, 128, 1},
		{"points", &engine{network: points}, 4096, 1},
	} {
		c.e.device = torch.CPU
		if got := c.e.parts(c.n); got != c.want {
			t.Errorf("%s: %d parts, want %d", c.name, got, c.want)
		}
	}
}
