package gotorch

import (
	"bytes"
	"errors"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"
	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/weights"
)

// deepNet is 20 layers of width 4, with AdamW and an average of the weights,
// kept on disk as a training run keeps them.
type deepNet struct {
	params, ema []Tensor
	opt         *AdamW
}

const deepLayers = 20

func newDeepNet() *deepNet {
	var n deepNet
	g := NewGenerator(CPU, 3)
	defer g.Close()
	for range deepLayers {
		n.params = append(n.params, RandNWith(g, []int64{4, 4}, Options{}).SetRequiresGrad(true), Ones([]int64{4}, true))
	}
	for _, p := range n.params {
		n.ema = append(n.ema, Clone(p.Detach()))
	}
	n.opt = NewAdamW(n.params, AdamWOptions{})
	return &n
}

// forward: x: [B,4] -> [B,4]
func (n *deepNet) forward(x Tensor) Tensor {
	for i := 0; i < len(n.params); i += 2 {
		x = Silu(RawLinear(x, n.params[i], n.params[i+1]))
	}
	return x
}

func (n *deepNet) step() {
	Scoped(func() {
		ZeroGrad(n.params)
		RawMSELoss(n.forward(Ones([]int64{8, 4}, false)), Ones([]int64{8, 4}, false), 1).Backward()
		ClipGradNorm(n.params, 1)
		n.opt.Step(1e-3, AdamWGuards{})
		LerpAll(n.ema, n.params, 0.01)
	})
}

// state is what is saved. Moments are saved transposed, so that libtorch has to
// make them contiguous first, as it has to for some of a UNet's.
func (n *deepNet) state() []Tensor {
	var all []Tensor
	for i := range n.params {
		all = append(all, n.params[i].Detach(), n.ema[i])
		for _, m := range []Tensor{n.opt.ExpAvg[i], n.opt.ExpAvgSq[i]} {
			if m.Dim() == 2 {
				m = Transpose(m, 0, 1)
			}
			all = append(all, m)
		}
	}
	return all
}

func (n *deepNet) save() []byte {
	var b bytes.Buffer
	Scoped(func() {
		f := weights.File{Tensors: new(weights.Dict)}
		for i, x := range n.state() {
			w, err := ToWeights(x)
			if err != nil {
				panic(err)
			}
			f.Tensors.Set(string(rune('A'+i)), w)
		}
		if err := pth.Write(&b, &f); err != nil {
			panic(err)
		}
	})
	return b.Bytes()
}

func (n *deepNet) load(file []byte) {
	Scoped(func() {
		v, err := (pth.Reader{}).ReadValueFrom(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			panic(err)
		}
		d, err := pth.DictOf(v)
		if err != nil {
			panic(err)
		}
		state := n.state()
		for i, name := range d.Names() {
			x, err := FromWeights(d.Get(name))
			if err != nil {
				panic(err)
			}
			state[i].CopyI(x)
		}
	})
}

// TestEveryAllocationMayFail takes a training step, saves and loads again and
// again, and lets the first, second, ... allocation fail: an error of ours each
// time, nothing lost, and the next time all goes well.
func TestEveryAllocationMayFail(t *testing.T) {
	n := newDeepNet()
	n.step()
	file := n.save()
	defer FailAllocations(0, 0)
	stride := int64(1)
	if testing.Short() {
		stride = 16
	}
	total := 0
	for _, job := range []struct {
		name string
		do   func()
	}{
		{"a step", n.step},
		{"saving", func() { n.save() }},
		{"loading", func() { n.load(file) }},
		{"a new model", func() { Scoped(func() { newDeepNet() }) }},
	} {
		before := settled()
		failed := 0
		for at := int64(1); ; at += stride {
			FailAllocations(at, 2) // the retry fails too
			err := typed(job.do)
			left := Stats().Faults
			FailAllocations(0, 0)
			if left == 2 && err == nil {
				break // it took fewer allocations
			}
			var e *Error
			if !errors.As(err, &e) || !e.OutOfMemory {
				t.Fatalf("%s, allocation %d: %v", job.name, at, err)
			}
			failed++
			if d := live() - before; d > 0 {
				if collect(); live() > before { // of what is made outside scopes
					t.Fatalf("%s, allocation %d: %d tensors are left", job.name, at, live()-before)
				}
			}
		}
		if err := typed(job.do); err != nil {
			t.Fatalf("%s afterwards: %v", job.name, err)
		}
		t.Logf("%s: %d allocations failed", job.name, failed)
		faulttest.Report(t, "10", failed)
		total += failed
	}
	if total < 300/int(stride) {
		t.Errorf("only %d allocations failed", total)
	}
	n.load(file) // what was saved before all that is whole
	if !bytes.Equal(n.save(), file) {
		t.Error("what was loaded differs from what was saved")
	}
}

// typed turns the panics of f into errors: those of operations, and errors that
// were thrown as they are.
func typed(f func()) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case error:
			err = p
		default:
			panic(p)
		}
	}()
	return Try(f)
}
