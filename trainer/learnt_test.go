package trainer

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"

	"flowmatch/flow"
)

// curious looks at what is learnt, and can fail in the midst of it.
type curious struct {
	Watch
	every int
	f     func(step int, v flow.Velocity) error
	errs  []error
	seen  []int
	next  int
}

func (c *curious) Start(past []Metric) error {
	c.next = len(past)/c.every*c.every + c.every
	return nil
}

func (c *curious) Due() int { return c.next }

func (c *curious) Look(l Look) error {
	if l.Step != c.next {
		return nil
	}
	c.seen, c.next = append(c.seen, l.Step), c.next+c.every
	c.errs = append(c.errs, l.Learnt(func(v flow.Velocity) error { return c.f(l.Step, v) }))
	return nil
}

// samples are a few of v, from noise of their own.
func samples(v flow.Velocity, shape ...int64) ([]float32, error) {
	m, _ := flow.FixedStepMethod("euler")
	s := flow.Sampling{Velocity: v, Solver: flow.FixedStep{Method: m, Steps: 2}, Shape: shape, N: 3, Seed: 5}
	if len(shape) == 3 {
		s.Labels = []int64{1, 2, 3}
	}
	out, err := s.Draw(context.Background())
	if err != nil {
		return nil, err
	}
	return out.X, nil
}

// A run that is looked into trains as one that is not, to the bit, whatever becomes of
// the look; and is told of the steps that were asked for.
func TestLearntLeavesNoTrace(t *testing.T) {
	c := config(12)
	c.ClassDropout = 0.3
	n := small()
	n.Dropout, n.NullClass = 0.1, true
	alone, watched := t.TempDir(), t.TempDir()
	if _, err := newRun(t, c, n, alone).Train(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	bad := errors.New("a full disk")
	o := &curious{every: 3, f: func(step int, v flow.Velocity) error {
		if _, err := samples(v, 1, 8, 8); err != nil || step == 6 {
			return errors.Join(err, bad)
		}
		if step == 9 {
			torch.MM(torch.Zeros([]int64{2, 3}, torch.Options{}), torch.Zeros([]int64{2, 3}, torch.Options{}))
		}
		return nil
	}}
	r := newRun(t, c, n, watched)
	r.Interval, r.Observers = time.Hour, []Observer{o}
	live := torch.Stats().Live
	if _, err := r.Train(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	if now := torch.Stats().Live; now > live {
		t.Errorf("%d tensors are left over", now-live)
	}
	sameFiles(t, alone, watched)
	if !slices.Equal(o.seen, []int{3, 6, 9, 12}) {
		t.Errorf("told after %v", o.seen)
	}
	var te *torch.Error
	if len(o.errs) != 4 || o.errs[0] != nil || !errors.Is(o.errs[1], bad) || !errors.As(o.errs[2], &te) || o.errs[3] != nil {
		t.Errorf("%v", o.errs)
	}
}

// What is learnt is what the checkpoint of that step says: the averaged weights, or the
// weights where no average is kept, on the run's path and without dropout.
func TestLearntIsTheCheckpoint(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"averaged":   func(*Config) {},
		"no average": func(c *Config) { c.EMADecay = 0 },
		"vp":         func(c *Config) { c.Path = "vp" },
	} {
		c := config(8)
		c.LearningRate = 0.05
		change(&c)
		r := planeRun(t, c, t.TempDir())
		var learnt []float32
		r.Observers = []Observer{&curious{every: 8, f: func(_ int, v flow.Velocity) (err error) {
			learnt, err = samples(v, 2)
			return err
		}}}
		res, err := r.Train(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		v, err := res.Checkpoint.Sampler(r.Network.Config(), torch.CPU, "fp32")
		if err != nil {
			t.Fatal(err)
		}
		want, err := samples(v, 2)
		if err != nil || len(learnt) != 6 || !slices.Equal(learnt, want) {
			t.Errorf("%s: %v, want %v, %v", name, learnt, want, err)
		}
		plain, err := res.Checkpoint.Velocity(r.Network.Config(), torch.CPU)
		if err != nil {
			t.Fatal(err)
		}
		near, err := samples(plain, 2)
		for i, x := range near { // whose weights are not laid out
			if err != nil || math.Abs(float64(x-want[i])) > 1e-4 {
				t.Errorf("%s: %v, want %v, %v", name, near, want, err)
			}
		}
		nn.Freeze(r.Network, torch.Float)
		raw, err := samples(flow.Within(mustPath(t, c), r.Network.Velocity), 2)
		if err != nil || (c.EMADecay > 0) == slices.Equal(learnt, raw) {
			t.Errorf("%s: %v, and the last weights give %v, %v", name, learnt, raw, err)
		}
		for _, p := range nn.Parameters(r.Network) {
			if !p.RequiresGrad() {
				t.Errorf("%s: a parameter learns no more", name)
			}
		}
	}
}

func mustPath(t *testing.T, c Config) flow.Path {
	t.Helper()
	p, err := c.path()
	if err != nil {
		t.Fatal(err)
	}
	return p
}
