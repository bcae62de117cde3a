package nn

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	torch "github.com/wangkuiyi/gotorch"
)

// IModule is a node of a model's tree.
type IModule interface {
	Train(on bool)
	IsTraining() bool
	To(device torch.Device, dtype ...int8)
	StateDict() map[string]torch.Tensor
	SetStateDict(sd map[string]torch.Tensor) error
	Apply(f func(IModule))
	Name() string
}

// Module is embedded in every model and layer.
type Module struct {
	outer      IModule
	isTraining bool
	name       string
}

// Init tells the module which struct it is embedded in. It comes after the
// fields are set, and before anything else.
func (m *Module) Init(outer IModule) {
	m.outer = outer
	m.isTraining = true
	m.name = reflect.TypeOf(outer).Elem().String()
}

func (m *Module) need(what string) IModule {
	if m.outer == nil {
		panic(&torch.Error{Op: "nn.Module." + what, Msg: "Init was not called"})
	}
	return m.outer
}

// Name is the Go type, "nn.LinearModule".
func (m *Module) Name() string { return m.name }

// Outer is the struct that embeds the module.
func (m *Module) Outer() IModule { return m.outer }

// Apply calls f for every module below, then for this one.
func (m *Module) Apply(f func(IModule)) {
	outer := m.need("Apply")
	eachChild(reflect.ValueOf(outer).Elem(), func(c IModule) { c.Apply(f) })
	f(outer)
}

// Train sets the mode of this module and all below: dropout and batch
// normalisation act in training only.
func (m *Module) Train(on bool) {
	outer := m.need("Train")
	m.isTraining = on
	eachChild(reflect.ValueOf(outer).Elem(), func(c IModule) { c.Train(on) })
}

// IsTraining tells the mode; it is true after Init.
func (m *Module) IsTraining() bool { return m.isTraining }

// To moves all tensors to the device, and casts those of floating point where
// dtype is given. It keeps every Tensor value good: optimisers may hold them.
func (m *Module) To(device torch.Device, dtype ...int8) {
	for _, n := range Tensors(m.need("To")) {
		d := n.Tensor.Dtype()
		if len(dtype) > 0 && (d == torch.Float || d == torch.Double || d == torch.Half || d == torch.BFloat16) {
			d = dtype[0]
		}
		torch.NoGrad(func() { n.Tensor.SetData(n.Tensor.To(device, d)) })
	}
}

// Named is a tensor of a model with its names.
type Named struct {
	Key    string // GoTorch's name, "Net.L1.Weight"
	Name   string // PyTorch's name, "l1.weight"
	Buffer bool
	Tensor torch.Tensor
}

// Tensors lists the parameters and buffers of m in the order of its fields,
// as PyTorch's state_dict lists them.
func Tensors(m IModule) []Named {
	v := reflect.ValueOf(m).Elem()
	var all []Named
	walk(v, path{key: v.Type().Name()}, &all)
	return all
}

// Parameters lists the tensors of m that are trained, in the order of Tensors,
// each once: layers may share a tensor.
func Parameters(m IModule) []torch.Tensor {
	var ps []torch.Tensor
	seen := map[torch.Tensor]bool{}
	for _, n := range Tensors(m) {
		if !n.Buffer && !seen[n.Tensor] {
			seen[n.Tensor] = true
			ps = append(ps, n.Tensor)
		}
	}
	return ps
}

// NamedParameters is the trained tensors by GoTorch's names.
func (m *Module) NamedParameters() map[string]torch.Tensor { return m.named("NamedParameters", false) }

// NamedBuffers is the other saved tensors by GoTorch's names.
func (m *Module) NamedBuffers() map[string]torch.Tensor { return m.named("NamedBuffers", true) }

func (m *Module) named(what string, buffers bool) map[string]torch.Tensor {
	out := map[string]torch.Tensor{}
	for _, n := range Tensors(m.need(what)) {
		if n.Buffer == buffers {
			out[n.Key] = n.Tensor
		}
	}
	return out
}

// Parameters lists the trained tensors in the order of the fields.
func (m *Module) Parameters() []torch.Tensor { return Parameters(m.need("Parameters")) }

// Buffers lists the other saved tensors in the order of the fields.
func (m *Module) Buffers() []torch.Tensor {
	var bs []torch.Tensor
	for _, n := range Tensors(m.need("Buffers")) {
		if n.Buffer {
			bs = append(bs, n.Tensor)
		}
	}
	return bs
}

// StateDict is all tensors by GoTorch's names.
func (m *Module) StateDict() map[string]torch.Tensor {
	out := map[string]torch.Tensor{}
	for _, n := range Tensors(m.need("StateDict")) {
		out[n.Key] = n.Tensor
	}
	return out
}

// SetStateDict copies the tensors of sd, by GoTorch's names, into the model's,
// which stay the same Go values: optimisers may hold them. sd must have a
// tensor for each of the model's and no other; if not, nothing is changed.
//
// Shapes are not checked, which GoTorch's tests pin: a tensor of another shape
// makes the model's that shape, too, and drops its gradient. An optimiser that
// was made before has moments of the old shape, and its next step fails.
func (m *Module) SetStateDict(sd map[string]torch.Tensor) error {
	all := Tensors(m.need("SetStateDict"))
	same := make([]bool, len(all))
	known := map[string]bool{}
	for i, n := range all {
		known[n.Key] = true
		src, ok := sd[n.Key]
		if !ok {
			return fmt.Errorf("nn: the state has no %s", n.Key)
		}
		if err := torch.Try(func() { same[i] = slices.Equal(n.Tensor.Shape(), src.Shape()) }); err != nil {
			return fmt.Errorf("nn: %s: %w", n.Key, err)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(sd)) {
		if !known[key] {
			return fmt.Errorf("nn: the model has no %s", key)
		}
	}
	return torch.Try(func() {
		torch.NoGrad(func() {
			for i, n := range all {
				if same[i] {
					n.Tensor.CopyI(sd[n.Key])
				} else {
					torch.Scoped(func() {
						n.Tensor.SetData(torch.Clone(sd[n.Key]).To(n.Tensor.Device(), n.Tensor.Dtype()))
					})
				}
			}
		})
	})
}
