package models

import (
	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
)

// MLPConfig describes an MLP.
type MLPConfig struct {
	Dim       int `json:"dim"`        // of a point; 2
	HiddenDim int `json:"hidden_dim"` // features of the three hidden layers; 512
}

// Defaults is c with the fields that are not set filled in.
func (c MLPConfig) Defaults() MLPConfig {
	if c.Dim == 0 {
		c.Dim = 2
	}
	if c.HiddenDim == 0 {
		c.HiddenDim = 512
	}
	return c
}

// Check says what is wrong with c, a *FieldError.
func (c MLPConfig) Check() error {
	switch {
	case c.Dim < 1:
		return Wrong("dim", "%d: points of so many numbers have no network", c.Dim)
	case c.HiddenDim < 1 || c.HiddenDim > 1<<15:
		return Wrong("hidden_dim", "%d is not in 1..32768", c.HiddenDim)
	}
	return nil
}

// Kind is "mlp".
func (c MLPConfig) Kind() string { return "mlp" }

// Build is NewMLP.
func (c MLPConfig) Build() (Network, error) { return built(NewMLP(c)) }

// SampleShape is [D].
func (c MLPConfig) SampleShape() []int64 { return []int64{int64(c.Dim)} }

// Classes is 0: the network has none.
func (c MLPConfig) Classes() int { return 0 }

// HasNullClass is false.
func (c MLPConfig) HasNullClass() bool { return false }

// WithClasses is c, which takes none.
func (c MLPConfig) WithClasses(int, bool) Config { return c }

// HasDropout is false.
func (c MLPConfig) HasDropout() bool { return false }

// SampleBytes is that of a hidden layer.
func (c MLPConfig) SampleBytes() int { return 4 * c.HiddenDim }

// WorkBytes is that of a layer, its activation and its input.
func (c MLPConfig) WorkBytes() int { return 4 * c.SampleBytes() }

// LeastParameters is the number of the network's parameters.
func (c MLPConfig) LeastParameters() float64 {
	d, h := float64(c.Dim), float64(c.HiddenDim)
	return (d+1)*h + h + 2*(h*h+h) + h*d + d
}

// MLP is the velocity field of points: cat[x, t] -> h -> h -> h -> v with SiLU
// between.
type MLP struct {
	nn.Module
	Layers []nn.IModule // Linear at 0, 2, 4 and 6

	config MLPConfig
}

// NewMLP builds the network on the CPU, its numbers drawn from libtorch's
// default generator.
func NewMLP(c MLPConfig) (*MLP, error) {
	c = c.Defaults()
	if err := c.Check(); err != nil {
		return nil, err
	}
	var m *MLP
	err := torch.Try(func() {
		torch.Outside(func() {
			d, h := int64(c.Dim), int64(c.HiddenDim)
			m = &MLP{config: c, Layers: []nn.IModule{
				nn.Linear(d+1, h, true), nn.SiLU(), nn.Linear(h, h, true), nn.SiLU(), nn.Linear(h, h, true), nn.SiLU(), nn.Linear(h, d, true),
			}}
			m.Init(m)
		})
	})
	return m, err
}

// Config is what the network was built from.
func (m *MLP) Config() Config { return m.config }

// Velocity is Forward; y must be none.
func (m *MLP) Velocity(x, t, y torch.Tensor) torch.Tensor {
	if y.T != nil {
		panic(&torch.Error{Op: "MLP", Msg: "this network takes no labels"})
	}
	return m.Forward(x, t)
}

// Trace is Forward that shows each layer.
func (m *MLP) Trace(x, t, _ torch.Tensor, see func(string, nn.IModule, torch.Tensor)) torch.Tensor {
	names := layerNames{}
	names.add("layers", m.Layers)
	return m.run(x, t, names.seen(see))
}

// Forward: x: [B,D], t: [B] -> v: [B,D].
func (m *MLP) Forward(x, t torch.Tensor) torch.Tensor {
	return m.run(x, t, nil)
}

func (m *MLP) run(x, t torch.Tensor, see func(nn.IModule, torch.Tensor)) torch.Tensor {
	h := torch.Cat([]torch.Tensor{x, t.View(-1, 1)}, 1)
	through := func(layers []nn.IModule) { h = forward(layers, h, embedding{}, see) }
	if last := len(m.Layers) - 1; x.Device().IsCUDA() {
		// Where a GPU may round products to TF32, it is x, t and v that would
		// lose by it; between, it is features.
		torch.FullPrecision(func() { through(m.Layers[:2]) })
		through(m.Layers[2:last])
		torch.FullPrecision(func() { through(m.Layers[last:]) })
	} else if see == nil && !torch.GradEnabled() {
		for i := 0; i < last; i += 2 { // Linear and SiLU
			in := h
			h = frugal(func() torch.Tensor { return m.Layers[i].(*nn.LinearModule).ForwardSiLU(in) })
			spend(h, in)
		}
		through(m.Layers[last:])
	} else {
		through(m.Layers)
	}
	v := h
	if v.Dtype() != x.Dtype() {
		v = v.CastTo(x.Dtype())
	}
	return v
}
