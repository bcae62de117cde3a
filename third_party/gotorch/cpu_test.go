package gotorch

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestCPUFlagsWithinLimit(t *testing.T) {
	all := "fma avx avx2 avx512f avx512_bf16 avx512_fp16 amx_bf16 amx_tile"
	for limit, want := range map[string]string{
		"":                     all,
		"ALL":                  all,
		"DEFAULT":              all,
		"avx512_core_amx":      all,
		"AVX10_1_512_AMX_FP16": all,
		"AVX10_1_512":          "fma avx avx2 avx512f avx512_bf16 avx512_fp16",
		"AVX512_CORE_FP16":     "fma avx avx2 avx512f avx512_bf16 avx512_fp16",
		"AVX512_CORE_BF16":     "fma avx avx2 avx512f avx512_bf16 avx512_fp16",
		"AVX512_CORE_VNNI":     "fma avx avx2 avx512f",
		"AVX512_CORE":          "fma avx avx2 avx512f",
		"AVX2":                 "fma avx avx2",
		"AVX2_VNNI_2":          "fma avx avx2",
		"SSE41":                "fma avx",
		"what is this":         all,
	} {
		if got := within(limit, strings.Fields(all)); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("ONEDNN_MAX_CPU_ISA=%q leaves %v, want %s", limit, got, want)
		}
	}
}

// oneDNN's older name of the variable is heeded where the newer one is not set.
func TestCPUFlagsByEitherName(t *testing.T) {
	for _, c := range []struct{ newer, older string }{{"AVX2", ""}, {"", "AVX2"}, {"AVX2", "ALL"}} {
		t.Setenv("ONEDNN_MAX_CPU_ISA", c.newer)
		t.Setenv("DNNL_MAX_CPU_ISA", c.older)
		if i := slices.IndexFunc(CPUFlags(), func(f string) bool { return strings.HasPrefix(f, "avx512") || strings.HasPrefix(f, "amx") }); i >= 0 {
			t.Errorf("ONEDNN_MAX_CPU_ISA=%q DNNL_MAX_CPU_ISA=%q leaves %s", c.newer, c.older, CPUFlags()[i])
		}
	}
}

// How fast a processor is decides no test; that it is a number does.
func TestBF16Gain(t *testing.T) {
	has := slices.Contains(CPUFlags(), "avx512_bf16")
	if g := BF16Gain(); (g > 0) != has || math.IsInf(g, 0) {
		t.Errorf("bf16 instructions: %v, gain %v", has, g)
	} else {
		t.Logf("a core does %.2f products of bf16 in the time of one of float32", g)
	}
	t.Setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE")
	if g := BF16Gain(); g != 0 {
		t.Errorf("gain %v where bf16 may not be used", g)
	}
}
