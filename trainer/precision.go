package trainer

import (
	"fmt"
	"os"
	"slices"
	"strings"

	torch "github.com/wangkuiyi/gotorch"
)

// Precision turns "auto", "fp32" or "bf16" into one of the last two for the
// device. The processor's own flags decide: libtorch takes bf16 everywhere,
// and emulates it ten times slower than float32 where there are no
// instructions for it. warning is not empty where that will happen.
func Precision(want string, d torch.Device) (got, warning string, err error) {
	fast := FastBF16(d)
	switch want {
	case "auto":
		if fast {
			return "bf16", "", nil
		}
		return "fp32", "", nil
	case "bf16":
		if !fast {
			warning = "this " + kindOf(d) + " has no bf16 instructions: bf16 is emulated, about ten times slower than fp32"
		}
		return "bf16", warning, nil
	case "fp32":
		return "fp32", "", nil
	}
	return "", "", fmt.Errorf("--precision %q: auto, fp32 or bf16", want)
}

func kindOf(d torch.Device) string {
	if d.IsCUDA() {
		return "GPU"
	}
	return "processor"
}

// FastBF16 tells whether the device has instructions for bf16 products.
func FastBF16(d torch.Device) bool {
	if d.IsCUDA() {
		return torch.CUDADeviceInfo(d).Major >= 8
	}
	flags := CPUFlags()
	return slices.Contains(flags, "avx512_bf16") || slices.Contains(flags, "amx_bf16")
}

// CPUFlags is what /proc/cpuinfo says the processor can do.
func CPUFlags() []string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(b)) {
		if name, list, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "flags" {
			return strings.Fields(list)
		}
	}
	return nil
}
