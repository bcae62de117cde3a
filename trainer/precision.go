package trainer

import (
	"slices"
	"strings"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/models"
)

// Precisions are what a run may compute in: float32; float32 whose products a GPU
// may round to TF32; bf16 where autocast has it.
var Precisions = []string{"auto", "fp32", "tf32", "bf16"}

// Precision turns "auto" into one of the others for a network on the device. What the
// processor itself can do decides: libtorch takes bf16 everywhere, and emulates it ten times
// slower than float32 where there are no instructions for it. warning is not empty where
// that will happen, or where bf16 is slower with them.
func Precision(want string, d torch.Device, network models.Config) (got, warning string, err error) {
	switch want {
	case "auto":
		return auto(d.IsCUDA(), FastBF16(d), len(network.SampleShape()) == 1), "", nil
	case "bf16":
		switch {
		case !FastBF16(d) && d.IsCUDA():
			return "", "", models.Wrong("precision", "bf16: this GPU has no bf16 instructions (they came with compute capability 8.0); choose fp32 or tf32")
		case !HasBF16(d):
			warning = "this " + processorOrGPU(d) + " has no bf16 instructions: bf16 is emulated, about ten times slower than fp32"
		case !FastBF16(d):
			warning = "this " + processorOrGPU(d) + "'s bf16 instructions multiply no faster than those of float32: fp32 is faster"
		}
		return "bf16", warning, nil
	case "tf32":
		if !d.IsCUDA() {
			warning = "only GPUs have TF32: this processor computes in float32"
		}
		return "tf32", warning, nil
	case "fp32":
		return "fp32", "", nil
	}
	return "", "", models.Wrong("precision", "%q: %s", want, strings.Join(Precisions, ", "))
}

// SamplingPrecision is Precision for samples of a network. "auto" is bf16 on a
// processor whose products of it are faster, where samples were measured to be as good
// as in float32 (README), and else float32; so it is for an adaptive solver, which
// would take the rounding for a bend of the path and make its steps small.
func SamplingPrecision(want string, d torch.Device, network models.Config, adaptive bool) (got, warning string, err error) {
	if want == "auto" {
		want = "fp32"
		if !d.IsCUDA() && !adaptive && FastBF16(d) {
			want = "bf16"
		}
	}
	return Precision(want, d, network)
}

// auto is the fastest precision that costs no quality; plane says that the network is one
// of points. A GPU casts the MLP's
// every operand to bf16 in a kernel of its own, of which a step has some 34, and
// x and t would be left with 8 bits.
func auto(gpu, fastBF16, plane bool) string {
	switch {
	case gpu && plane:
		return "tf32"
	case fastBF16:
		return "bf16"
	case gpu:
		return "tf32" // what has no such products computes them in float32
	}
	return "fp32"
}

func processorOrGPU(d torch.Device) string {
	if d.IsCUDA() {
		return "GPU"
	}
	return "processor"
}

// HasBF16 tells whether the device has instructions for bf16 products.
func HasBF16(d torch.Device) bool {
	if d.IsCUDA() {
		return torch.CUDADeviceInfo(d).Major >= 8
	}
	flags := torch.CPUFlags()
	return slices.Contains(flags, "avx512_bf16") || slices.Contains(flags, "amx_bf16")
}

// FastBF16 tells whether networks are computed faster in bf16 than in float32 on the device.
func FastBF16(d torch.Device) bool {
	return HasBF16(d) && (d.IsCUDA() || faster(torch.CPUFlags(), torch.BF16Gain()))
}

// faster is FastBF16 on a processor, where flags have bf16. Where the gain is 1, float32 is
// the faster one: 3x3 convolutions of it need 4 multiplications for 9 (Winograd's algorithm).
// With a gain of 1/2 steps and samples in float32 were measured to take .55 to .7 of the time;
// PyTorch's, on a processor with 2, took 1.4 to 2.2 times as long.
func faster(flags []string, gain float64) bool {
	return slices.Contains(flags, "amx_bf16") || gain >= 1.3
}
