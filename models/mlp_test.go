package models

import (
	"math"
	"slices"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
)

// The names, shapes and count of the reference's network.
func TestMLPParameters(t *testing.T) {
	m, err := NewMLP(MLPConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if n := Count(m); n != 528386 {
		t.Errorf("%d parameters, want 528,386", n)
	}
	var names []string
	for _, n := range nn.Tensors(m) {
		names = append(names, n.Name)
	}
	want := []string{"layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias", "layers.4.weight", "layers.4.bias", "layers.6.weight", "layers.6.bias"}
	if !slices.Equal(names, want) {
		t.Errorf("names %v", names)
	}
}

// The output against the formula in plain Go.
func TestMLPForward(t *testing.T) {
	const h, b = 8, 3
	m, err := NewMLP(MLPConfig{HiddenDim: h})
	if err != nil {
		t.Fatal(err)
	}
	x, at := fill(2*b, 1, 4, 0), fill(b, 2, 1, 0.5)
	got := torch.ToSlice[float32](m.Velocity(torch.FromSlice(x, b, 2), torch.FromSlice(at, b), torch.Tensor{}))
	all := nn.Tensors(m)
	for i := range b {
		v := []float64{float64(x[2*i]), float64(x[2*i+1]), float64(at[i])}
		for l := 0; l < len(all); l += 2 {
			w, bias := torch.ToSlice[float32](all[l].Tensor), torch.ToSlice[float32](all[l+1].Tensor)
			out := make([]float64, len(bias))
			for o := range out {
				out[o] = float64(bias[o])
				for j := range v {
					out[o] += float64(w[o*len(v)+j]) * v[j]
				}
				if l < len(all)-2 {
					out[o] /= 1 + math.Exp(-out[o])
				}
			}
			v = out
		}
		for j := range 2 {
			if math.Abs(v[j]-float64(got[2*i+j])) > 1e-6 {
				t.Errorf("point %d: %v, want %v", i, got[2*i:2*i+2], v)
			}
		}
	}
	if _, err := NewMLP(MLPConfig{HiddenDim: -1}); err == nil {
		t.Error("negative width")
	}
}
