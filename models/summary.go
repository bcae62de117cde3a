package models

import (
	"fmt"
	"reflect"
	"strings"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
)

// Layer is a line of a network's summary.
type Layer struct {
	Name       string  // PyTorch's: "input_blocks.1.0"
	Kind       string  // "ResBlock"
	Output     []int64 // shape for one sample, the batch left out
	Parameters int64
}

// Summary lists the layers of a network in the order in which they compute, with
// what they give for a sample. It evaluates the network once.
func Summary(m Network) (layers []Layer, err error) {
	see := func(name string, l nn.IModule, out torch.Tensor) {
		row := Layer{Name: name, Kind: layerType(l), Output: out.Shape()[1:]}
		for _, p := range nn.Tensors(l) {
			row.Parameters += p.Tensor.Numel()
		}
		layers = append(layers, row)
	}
	err = torch.Try(func() {
		torch.Scoped(func() {
			torch.NoGrad(func() {
				c := m.Config()
				var y torch.Tensor
				if c.Classes() > 0 {
					y = torch.FromSlice([]int64{0}, 1)
				}
				x := torch.Zeros(append([]int64{1}, c.SampleShape()...), torch.Options{})
				m.Trace(x, torch.Zeros([]int64{1}, torch.Options{}), y, see)
			})
		})
	})
	return layers, err
}

// layerNames are PyTorch's names of a network's layers.
type layerNames map[nn.IModule]string

// add names the layers of a list: "out.0", "out.1".
func (n layerNames) add(prefix string, list []nn.IModule) {
	for i, l := range list {
		n[l] = fmt.Sprintf("%s.%d", prefix, i)
	}
}

// seen is see of layers whose names are not known where they are run.
func (n layerNames) seen(see func(string, nn.IModule, torch.Tensor)) func(nn.IModule, torch.Tensor) {
	return func(l nn.IModule, out torch.Tensor) { see(n[l], l, out) }
}

// layerType is a layer's type without the packages' own words: "GroupNorm".
func layerType(l nn.IModule) string {
	if isSiLU(l) {
		return "SiLU"
	}
	name := strings.TrimSuffix(reflect.TypeOf(l).Elem().Name(), "Module")
	return strings.ToUpper(name[:1]) + name[1:]
}

// isSiLU tells of a layer of a network whether it is one; no other function without
// numbers is a layer in these networks.
func isSiLU(l nn.IModule) bool {
	_, ok := l.(*nn.FunctionalModule)
	return ok
}
