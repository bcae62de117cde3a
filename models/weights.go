package models

import (
	"fmt"
	"math"
	"slices"
	"strings"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
	"github.com/wangkuiyi/gotorch/weights"
)

// Mismatch says why weights do not fit a model.
type Mismatch struct {
	Missing    []string // in the model only
	Unexpected []string // in the file only
	Shapes     []string // "name: [2] in the file, [3] in the network"
}

func (m *Mismatch) Error() string {
	var parts []string
	say := func(what string, names []string) {
		if n := len(names); n > 0 {
			more := ""
			if n > 3 {
				names, more = names[:3], fmt.Sprintf(" and %d more", n-3)
			}
			parts = append(parts, fmt.Sprintf("%s %s%s", what, strings.Join(names, ", "), more))
		}
	}
	say("shapes differ:", m.Shapes)
	say("missing:", m.Missing)
	say("unexpected:", m.Unexpected)
	return "the weights do not fit the network; " + strings.Join(parts, "; ")
}

func shapes(name string, file, network []int64) string {
	return fmt.Sprintf("%s: %v in the file, %v in the network", name, file, network)
}

// Load copies weights into m by PyTorch's names. Every tensor of m must be
// there with its shape, and no other; otherwise the error is a *Mismatch and m
// is as it was. Numbers of other widths are converted; those that are not finite, or
// whole, are an error.
func Load(m nn.IModule, d *weights.Dict) error {
	all := nn.Tensors(m)
	known := map[string]bool{}
	bad := &Mismatch{}
	for _, n := range all {
		known[n.Name] = true
		w := d.Get(n.Name)
		if w == nil {
			bad.Missing = append(bad.Missing, n.Name)
		} else if s := n.Tensor.Shape(); !slices.Equal(s, w.Shape) {
			bad.Shapes = append(bad.Shapes, shapes(n.Name, w.Shape, s))
		} else if !w.DType.Floating() {
			return fmt.Errorf("%s is of %v, which are no weights", n.Name, w.DType)
		} else if !w.Finite() {
			return fmt.Errorf("%s is not finite", n.Name)
		} else if !held(w) {
			return fmt.Errorf("%s has numbers that float32 cannot hold", n.Name)
		}
	}
	for _, name := range d.Names() {
		if !known[name] {
			bad.Unexpected = append(bad.Unexpected, name)
		}
	}
	if len(bad.Missing)+len(bad.Unexpected)+len(bad.Shapes) > 0 {
		return bad
	}
	for _, n := range all {
		t, err := torch.FromWeights(d.Get(n.Name))
		if err != nil {
			return fmt.Errorf("%s: %w", n.Name, err)
		}
		err = torch.Try(func() { torch.NoGrad(func() { n.Tensor.CopyI(t) }) })
		t.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", n.Name, err)
		}
	}
	return nil
}

// held tells whether float32 holds the numbers of finite weights, but for their last digits.
func held(w *weights.Tensor) bool {
	if w.DType != weights.Double {
		return true
	}
	v, err := w.Float32s()
	return err != nil || !slices.ContainsFunc(v, func(v float32) bool { return math.IsInf(float64(v), 0) })
}

// Weights copies m's tensors out under PyTorch's names.
func Weights(m nn.IModule) (*weights.Dict, error) {
	d := &weights.Dict{}
	for _, n := range nn.Tensors(m) {
		w, err := torch.ToWeights(n.Tensor)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Name, err)
		}
		d.Set(n.Name, w)
	}
	return d, nil
}

// Count is the number of parameters.
func Count(m nn.IModule) int64 {
	var n int64
	for _, p := range nn.Parameters(m) {
		n += p.Numel()
	}
	return n
}
