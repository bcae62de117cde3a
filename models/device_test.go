package models

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
)

// The networks of testdata with their gradients, in every precision that is
// trained in: all of them on the GPU with GOTORCH_TEST_CUDA=1, else a small one of each
// kind on the processor. What is measured is |got - want| / |want| of the output, of
// the image's gradient and of all parameters' gradients together, on the
// elements that the fixture has. Each logs a line of JSON, which
// scripts/gpu-check reads and holds beside PyTorch's error on the same device:
// these bounds only tell a mistake from rounding.

type arithmetic struct {
	name       string
	bf16, tf32 bool
	tolerance  float64
}

// On a processor bf16 autocast is off by .007 to .012 in the output and .008 to
// .046 in the gradients (unet-two-heads: .035 and .14); TF32 has three more bits.
var arithmetics = []arithmetic{
	{"float32", false, false, 2e-4},
	{"tf32", false, true, 0.03},
	{"bf16", true, false, 0.2},
}

func TestDeviceNetworks(t *testing.T) {
	d := torch.CPU
	if os.Getenv("GOTORCH_TEST_CUDA") == "1" {
		if ok, why := torch.CUDAStatus(); !ok {
			t.Fatal("GOTORCH_TEST_CUDA=1, but CUDA is off: " + why)
		}
		d = torch.NewDevice("cuda")
	}
	all := fixtures(t)
	for _, file := range slices.Sorted(maps.Keys(all)) {
		name := strings.TrimSuffix(file, ".json")
		if !d.IsCUDA() && name != "unet-digits" && name != "dit-unconditional" {
			continue
		}
		for _, a := range arithmetics {
			if a.tf32 && !d.IsCUDA() {
				continue // only GPUs round so
			}
			t.Run(name+"/"+a.name, func(t *testing.T) {
				if d.IsCUDA() {
					torch.AllowTF32(a.tf32)
					defer torch.AllowTF32(false)
				}
				torch.Scoped(func() { all[file].on(t, d, a, name) })
			})
		}
	}
}

// on runs the network once forth and back on the device.
func (f fixture) on(t *testing.T, d torch.Device, a arithmetic, name string) {
	u := f.build(t)
	u.To(d)
	tensors := nn.Tensors(u)
	for k, p := range f.Parameters {
		v := filled{p.Shape, uint32(k), p.Scale, p.Offset}.tensor()
		torch.NoGrad(func() { tensors[k].Tensor.CopyI(v) })
	}
	x := f.Inputs.X.tensor().To(d).SetRequiresGrad(true)
	var y torch.Tensor
	if f.Inputs.Y != nil {
		y = torch.FromSlice(f.Inputs.Y, int64(len(f.Inputs.Y))).To(d)
	}
	var out torch.Tensor
	forward := func() { out = u.Velocity(x, f.Inputs.T.tensor().To(d), y) }
	if a.bf16 {
		torch.Autocast(d, torch.BFloat16, forward)
	} else {
		forward()
	}
	torch.SumAll(torch.Mul(out.CastTo(torch.Float), f.Inputs.W.tensor().To(d))).Backward()

	var output, image, parameters distance
	output.add(out, f.Output)
	image.add(x.Grad(), f.XGrad)
	for k, p := range f.Parameters {
		if !p.ZeroGrad {
			parameters.add(tensors[k].Tensor.Grad(), *p.Grad)
		}
	}
	b, err := json.Marshal(map[string]any{
		"name": name, "device": d.String(), "precision": a.name, "allowed": a.tolerance,
		"output": output.relative(), "x_grad": image.relative(), "gradients": parameters.relative(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("result: %s", b)
	for what, e := range map[string]distance{"output": output, "the image's gradient": image, "the parameters' gradients": parameters} {
		if v := e.relative(); !(v <= a.tolerance) {
			t.Errorf("%s: off by %.2g of its norm, allowed %.2g", what, v, a.tolerance)
		}
	}
}

// distance is |got - want| and |want|, squared, over a fixture's elements.
type distance struct{ off, norm float64 }

func (e *distance) add(got torch.Tensor, want summary) {
	v := torch.ToSlice[float32](got.Detach().CastTo(torch.Float).To(torch.CPU))
	for j, w := range want.Values {
		i := j
		if want.At != nil {
			i = want.At[j]
		}
		e.off += (float64(v[i]) - w) * (float64(v[i]) - w)
		e.norm += w * w
	}
}

func (e distance) relative() float64 { return math.Sqrt(e.off / e.norm) }
