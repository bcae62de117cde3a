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

// Summary lists the layers of a UNet or MLP in the order in which they compute,
// with what they give for a sample of the shape, [C,H,W] or [D]. It evaluates
// the network once.
func Summary(m Velocity, shape []int64) (layers []Layer, err error) {
	names := map[nn.IModule]string{}
	add := func(prefix string, list []nn.IModule) {
		for i, l := range list {
			names[l] = fmt.Sprintf("%s.%d", prefix, i)
		}
	}
	see := func(l nn.IModule, out torch.Tensor) {
		row := Layer{Name: names[l], Kind: kindOf(l), Output: out.Shape()[1:]}
		for _, p := range nn.Tensors(l) {
			row.Parameters += p.Tensor.Numel()
		}
		layers = append(layers, row)
	}
	err = torch.Try(func() {
		torch.Scoped(func() {
			torch.NoGrad(func() {
				x := torch.Zeros(append([]int64{1}, shape...), torch.Options{})
				t := torch.Zeros([]int64{1}, torch.Options{})
				switch m := m.(type) {
				case *UNet:
					add("time_embed", m.TimeEmbed)
					for i, b := range m.InputBlocks {
						add(fmt.Sprintf("input_blocks.%d", i), b)
					}
					add("middle_block", m.MiddleBlock)
					for i, b := range m.OutputBlocks {
						add(fmt.Sprintf("output_blocks.%d", i), b)
					}
					add("out", m.Out)
					var y torch.Tensor
					if m.LabelEmb != nil {
						names[m.LabelEmb] = "label_emb"
						y = torch.FromSlice([]int64{0}, 1)
					}
					m.run(x, t, y, see)
				case *MLP:
					add("layers", m.Layers)
					m.run(x, t, see)
				default:
					panic(&torch.Error{Op: "Summary", Msg: fmt.Sprintf("%T is not known", m)})
				}
			})
		})
	})
	return layers, err
}

// kindOf is a layer's type without the packages' own words: "GroupNorm".
func kindOf(l nn.IModule) string {
	if _, ok := l.(*nn.FunctionalModule); ok {
		return "SiLU" // the only function without numbers in these networks
	}
	name := strings.TrimSuffix(reflect.TypeOf(l).Elem().Name(), "Module")
	return strings.ToUpper(name[:1]) + name[1:]
}
