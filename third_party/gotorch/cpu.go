package gotorch

// #include "cpu.h"
import "C"

import (
	"cmp"
	"os"
	"slices"
	"strings"
	"sync"
)

// CPUFlags is what /proc/cpuinfo says the processor can do, less what the variable
// ONEDNN_MAX_CPU_ISA, or DNNL_MAX_CPU_ISA, keeps libtorch's products and convolutions
// from using.
func CPUFlags() []string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(b)) {
		if name, list, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "flags" {
			return within(cmp.Or(os.Getenv("ONEDNN_MAX_CPU_ISA"), os.Getenv("DNNL_MAX_CPU_ISA")), strings.Fields(list))
		}
	}
	return nil
}

// within leaves of the flags those that oneDNN may use under a limit by its names of
// instruction sets (AVX2, AVX512_CORE_BF16, AVX512_CORE_AMX, ...), all of them under
// any other.
func within(limit string, flags []string) []string {
	var beyond []string
	switch limit = strings.ToUpper(limit); {
	case strings.Contains(limit, "AMX"):
	case strings.HasSuffix(limit, "_BF16"), strings.HasSuffix(limit, "_FP16"), strings.HasPrefix(limit, "AVX10"):
		beyond = []string{"amx"}
	case strings.HasPrefix(limit, "AVX512_CORE"):
		beyond = []string{"amx", "avx512_bf16", "avx512_fp16"}
	case strings.HasPrefix(limit, "AVX2"):
		beyond = []string{"amx", "avx512"}
	case limit == "AVX", limit == "SSE41":
		beyond = []string{"amx", "avx512", "avx2"}
	}
	return slices.DeleteFunc(flags, func(flag string) bool {
		return slices.ContainsFunc(beyond, func(b string) bool { return strings.HasPrefix(flag, b) })
	})
}

// BF16Gain is how many products of bf16 a core's vectors do in the time that one of float32
// takes, 0 where CPUFlags has no avx512_bf16. It is measured once: processors that have the
// instruction differ by a factor of four. With Zen 4 it is 2; with Sapphire Rapids, whose
// bf16 is meant to be multiplied by AMX (which old kernels and some virtual machines leave
// out), it is 1/2.
func BF16Gain() float64 {
	if !slices.Contains(CPUFlags(), "avx512_bf16") {
		return 0
	}
	return bf16Gain()
}

var bf16Gain = sync.OnceValue(func() float64 { return float64(C.gt_bf16_gain()) })
