package gotorch

import (
	"strings"
	"sync"
	"testing"
)

func TestBackward(t *testing.T) {
	x := FromSlice([]float32{1, 2, 3}, 3).SetRequiresGrad(true)
	SumAll(Square(x)).Backward()
	nearSlice(t, "gradient", ToSlice[float32](x.Grad()), []float64{2, 4, 6}, 0)
	Square(x).BackwardWith(FromSlice([]float32{1, 0, -1}, 3))
	nearSlice(t, "gradients add up", ToSlice[float32](x.Grad()), []float64{4, 4, 0}, 0)
	ZeroGrad([]Tensor{x})
	if x.Grad().Defined() {
		t.Error("ZeroGrad leaves a gradient")
	}
	x.SetGrad(Ones([]int64{3}, false))
	nearSlice(t, "set gradient", ToSlice[float32](x.Grad()), []float64{1, 1, 1}, 0)
	x.SetGrad(Tensor{})
	if x.Grad().Defined() || x.Grad().T == nil {
		t.Error("SetGrad of none leaves a gradient")
	}
	if d := x.Detach(); d.RequiresGrad() {
		t.Error("Detach keeps the history")
	}
}

// Data of another shape, while a graph still knows the tensor in its old one.
func TestSetDataOfAnotherShape(t *testing.T) {
	x := FromSlice([]float32{1, 2, 3}, 3).SetRequiresGrad(true)
	old := SumAll(Square(x))
	old.Backward()
	x.SetData(FromSlice([]float32{4, 5}, 2))
	if x.Grad().Defined() {
		t.Error("the gradient of the old shape is still there")
	}
	SumAll(Square(x)).Backward()
	nearSlice(t, "gradient", ToSlice[float32](x.Grad()), []float64{8, 10}, 0)
	x.SetData(FromSlice([]float32{6, 7}, 2))
	nearSlice(t, "gradient, data of the same shape", ToSlice[float32](x.Grad()), []float64{8, 10}, 0)
	old.Close()
}

// Data of another type takes the gradient along, as PyTorch's Module.to does.
func TestSetDataOfAnotherType(t *testing.T) {
	x := FromSlice([]float32{1, 2}, 2).SetRequiresGrad(true)
	SumAll(Square(x)).Backward()
	x.SetData(x.CastTo(Double))
	g := x.Grad()
	if g.Dtype() != Double {
		t.Fatalf("the gradient's type is %d", g.Dtype())
	}
	SumAll(Square(x)).Backward() // adds to it
	if got := ToSlice[float64](x.Grad()); got[0] != 4 || got[1] != 8 {
		t.Errorf("gradient %v", got)
	}
}

// What CopyFrom writes is a change that a backward pass must notice.
func TestCopyFromIsNoticed(t *testing.T) {
	x, w := FromSlice([]float32{1, 2}, 2), Ones([]int64{2}, true)
	y := SumAll(Mul(w, x))
	CopyFrom(x, []float32{3, 4})
	if err := Try(y.Backward); err == nil || !strings.Contains(err.Error(), "modified by an inplace operation") {
		t.Errorf("a gradient from overwritten values: %v", err)
	}
}

// TestAutogradGrad: y = x^3, y' = 3 x^2, y” = 6 x, y”' = 6.
func TestAutogradGrad(t *testing.T) {
	Scoped(func() {
		x := FromSlice([]float32{1, 2}, 2).SetRequiresGrad(true)
		other := Ones([]int64{1}, true)
		g := SumAll(PowScalar(x, 3))
		for order, want := range [][]float64{{3, 12}, {6, 12}, {6, 6}} {
			grads := AutogradGrad([]Tensor{g}, []Tensor{x, other}, AutogradOptions{CreateGraph: order < 2})
			nearSlice(t, "derivative", ToSlice[float32](grads[0]), want, 1e-6)
			if grads[1].Defined() {
				t.Error("an input that does not matter has a gradient")
			}
			g = SumAll(grads[0])
		}
		if x.Grad().Defined() {
			t.Error("Grad was set")
		}
		v := AutogradGrad([]Tensor{Square(x), Exp(MulScalar(x, 0))}, []Tensor{x}, AutogradOptions{
			GradOutputs: []Tensor{FromSlice([]float32{10, 1}, 2), Ones([]int64{2}, false)}})
		nearSlice(t, "weighted", ToSlice[float32](v[0]), []float64{20, 4}, 1e-6)
		if err := Try(func() {
			AutogradGrad([]Tensor{x, x}, []Tensor{x}, AutogradOptions{GradOutputs: []Tensor{x}})
		}); err == nil {
			t.Error("too few weights are no error")
		}
	})
}

// The mode is the thread's: guards nest, restore it after panics, and do not
// reach other goroutines.
func TestGradModes(t *testing.T) {
	x := Ones([]int64{1}, true)
	on := func() bool { return AddScalar(x, 1).RequiresGrad() }
	want := func(what string, w bool) {
		t.Helper()
		if on() != w {
			t.Errorf("%s: gradients are %v", what, !w)
		}
	}
	want("at first", true)
	NoGrad(func() {
		want("NoGrad", false)
		WithGrad(func() {
			want("WithGrad", true)
			NoGrad(func() { want("NoGrad again", false) })
			want("after it", true)
		})
		want("after WithGrad", false)
		mustPanic(t, func() { WithGrad(func() { panic("out") }) })
		want("after a panic", false)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { want("another goroutine", true) })
		}
		wg.Wait()
		want("still", false)
	})
	want("at last", true)
}
