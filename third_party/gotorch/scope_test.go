package gotorch

import (
	"runtime"
	"testing"
)

func live() int64 { return Stats().Live }

// settled is live once what earlier tests dropped is gone.
func settled() int64 {
	n := live()
	for same := 0; same < 3; {
		collect()
		if now := live(); now == n {
			same++
		} else {
			n, same = now, 0
		}
	}
	return n
}

func released(t *testing.T, what string, x Tensor) {
	t.Helper()
	if _, ok := mustPanic(t, func() { x.Shape() }).(*ReleasedError); !ok {
		t.Errorf("%s can still be used", what)
	}
}

func TestScopeFrees(t *testing.T) {
	before := settled()
	var inside Tensor
	Scoped(func() {
		for range 300 { // more than a slab
			inside = Ones([]int64{2}, false)
		}
		if n := live() - before; n != 300 {
			t.Errorf("%d tensors inside", n)
		}
	})
	if n := live() - before; n != 0 {
		t.Errorf("%d tensors are left", n)
	}
	released(t, "a tensor of an ended scope", inside)
	inside.Close() // harmless
}

func TestScopesNest(t *testing.T) {
	before := settled()
	var inner Tensor
	Scoped(func() {
		outer := Ones([]int64{1}, false)
		Scoped(func() {
			inner = AddScalar(outer, 1)
		})
		released(t, "the inner scope's tensor", inner)
		if v := outer.ItemFloat(); v != 1 {
			t.Errorf("the outer scope's tensor is %v", v)
		}
		if y := AddScalar(outer, 2); y.ItemFloat() != 3 {
			t.Error("the outer scope does not go on")
		}
	})
	if n := live() - before; n != 0 {
		t.Errorf("%d tensors are left", n)
	}
}

func TestKeep(t *testing.T) {
	before := settled()
	var toOuter, out, twice, closed Tensor
	Scoped(func() {
		Scoped(func() {
			Scoped(func() {
				toOuter = Keep(Full([]int64{1}, 3, false))
				out = Keep(Full([]int64{1}, 4, false))
				twice = Keep(Keep(Full([]int64{1}, 5, false)))
				closed = Keep(Full([]int64{1}, 6, false))
				closed.Close()
			})
			Keep(out)
			Keep(twice)
		})
		released(t, "a tensor kept to the middle scope only", toOuter)
		if out.ItemFloat() != 4 || twice.ItemFloat() != 5 {
			t.Error("kept tensors changed")
		}
		Keep(out)
	})
	released(t, "a closed kept tensor", closed)
	released(t, "a tensor that was not kept out of the outermost scope", twice)
	if out.ItemFloat() != 4 {
		t.Error("a tensor kept out of all scopes changed")
	}
	if n := live() - before; n != 1 {
		t.Errorf("%d tensors are left, want 1", n)
	}
	if Keep(out) != out {
		t.Error("Keep outside scopes is another tensor")
	}
	out.Close()
	if n := live() - before; n != 0 {
		t.Errorf("%d tensors are left after Close", n)
	}
	mustPanic(t, func() { Keep(Tensor{}) })
}

// A parameter used inside a scope does not become the scope's, nor does Keep
// of it do anything.
func TestKeepOfForeignTensor(t *testing.T) {
	p := Ones([]int64{1}, false)
	Scoped(func() { Keep(p) })
	if p.ItemFloat() != 1 {
		t.Error("it changed")
	}
	p.Close()
}

func TestKeptTensorsAreCollected(t *testing.T) {
	before := settled()
	func() {
		var kept []Tensor
		for range 100 {
			Scoped(func() {
				Ones([]int64{1}, false)
				kept = append(kept, Keep(Ones([]int64{1}, false)))
			})
		}
		if n := live() - before; n != 100 {
			t.Errorf("%d tensors live, want 100", n)
		}
		runtime.KeepAlive(kept)
	}()
	wantCollected(t, before)
}

func TestScopeEndsOnPanicAndGoexit(t *testing.T) {
	before := settled()
	if p := mustPanic(t, func() {
		Scoped(func() {
			Ones([]int64{1}, false)
			Scoped(func() {
				Ones([]int64{1}, false)
				panic("mine")
			})
		})
	}); p != "mine" {
		t.Errorf("the panic became %v", p)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		Scoped(func() {
			Ones([]int64{1}, false)
			NoGrad(func() { runtime.Goexit() })
		})
	}()
	<-done
	if n := live() - before; n != 0 {
		t.Errorf("%d tensors are left", n)
	}
	Scoped(func() { // and scopes still work
		if Ones([]int64{1}, true).RequiresGrad() != true {
			t.Error("gradients are off")
		}
	})
}

func TestOutside(t *testing.T) {
	before := settled()
	var p, q Tensor
	Scoped(func() {
		Outside(func() {
			p = Ones([]int64{1}, false)
			Scoped(func() { q = Ones([]int64{1}, false) })
			released(t, "a scope's tensor inside Outside", q)
			Scoped(func() { q = Keep(Ones([]int64{1}, false)) })
		})
		mustPanic(t, func() { Outside(func() { panic("out") }) })
		if x := Ones([]int64{1}, false); currentScope() == nil || currentScope().giveUp((*cell)(cellOf(x))) == nil {
			t.Error("the scope does not go on after Outside")
		} else {
			x.Close()
		}
	})
	if p.ItemFloat() != 1 || q.ItemFloat() != 1 {
		t.Error("a tensor made Outside changed")
	}
	p.Close()
	q.Close()
	if n := live() - before; n != 0 {
		t.Errorf("%d tensors are left", n)
	}
}

// A goroutine inside a scope computes with SetNumThreads cores, any other
// with one, whatever is nested in what.
func TestThreadsOfScopes(t *testing.T) {
	want := func(what string, n int) {
		t.Helper()
		if got := ThreadsHere(); got != n {
			t.Errorf("%s: %d threads, want %d", what, got, n)
		}
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer SetNumThreads(2)
	want("outside", 1)
	Scoped(func() {
		want("inside", 2)
		Scoped(func() { want("nested", 2) })
		want("after nested", 2)
		Outside(func() {
			want("Outside", 2)
			Scoped(func() { want("Scoped in Outside", 2) })
			want("Outside again", 2)
		})
		want("after Outside", 2)
		done := make(chan int)
		go func() { done <- ThreadsHere() }()
		if n := <-done; n != 1 {
			t.Errorf("another goroutine: %d threads", n)
		}
		mustPanic(t, func() { Scoped(func() { panic("out") }) })
		want("after a panic", 2)
	})
	want("outside again", 1)
	SetNumThreads(3)
	if NumThreads() != 3 {
		t.Errorf("NumThreads is %d", NumThreads())
	}
	want("outside after SetNumThreads", 1)
	Scoped(func() { want("inside after SetNumThreads", 3) })
	want("outside in the end", 1)
}

// TestTrainingStepsLeaveNothing takes 300 small steps: as many tensors live
// after each as before it.
func TestTrainingStepsLeaveNothing(t *testing.T) {
	w, b := RandN([]int64{4, 3}, true), Ones([]int64{4}, true)
	params := []Tensor{w, b}
	opt := NewAdamW(params, AdamWOptions{WeightDecay: 0.01})
	ema := []Tensor{Clone(w.Detach()), Clone(b.Detach())}
	g := NewGenerator(CPU, 1)
	defer g.Close()
	var first int64
	for step := range 300 {
		Scoped(func() {
			x := RandNWith(g, []int64{8, 3}, Options{})
			var loss Tensor
			Autocast(CPU, BFloat16, func() {
				loss = RawMSELoss(RawLinear(x, w, b).CastTo(Float), Ones([]int64{8, 4}, false), 1)
			})
			ZeroGrad(params)
			loss.Backward()
			ClipGradNorm(params, 1)
			opt.Step(1e-3, AdamWGuards{})
			LerpAll(ema, params, 0.01)
		})
		switch n := live(); {
		case step == 0:
			first = n
		case n != first:
			t.Fatalf("%d tensors live after step %d, %d after the first", n, step+1, first)
		}
	}
}
