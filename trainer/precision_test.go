package trainer

import (
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/models"
)

func TestAuto(t *testing.T) {
	for _, c := range []struct {
		gpu, bf16, plane bool
		want             string
	}{
		{false, false, false, "fp32"},
		{false, true, false, "bf16"},
		{false, true, true, "bf16"},
		{true, true, false, "bf16"},
		{true, true, true, "tf32"},
		{true, false, false, "tf32"},
		{true, false, true, "tf32"},
	} {
		if got := auto(c.gpu, c.bf16, c.plane); got != c.want {
			t.Errorf("gpu %v, bf16 %v, points %v: %q, want %q", c.gpu, c.bf16, c.plane, got, c.want)
		}
	}
}

func TestPrecision(t *testing.T) {
	for want, warns := range map[string]bool{"fp32": false, "tf32": true, "bf16": !FastBF16(torch.CPU)} {
		got, warning, err := Precision(want, torch.CPU, models.MLPConfig{})
		if err != nil || got != want || (warning != "") != warns {
			t.Errorf("%s on a processor: %q, %q, %v", want, got, warning, err)
		}
	}
	if _, _, err := Precision("fp64", torch.CPU, models.MLPConfig{}); err == nil || !strings.Contains(err.Error(), "auto, fp32, tf32, bf16") {
		t.Errorf("fp64: %v", err)
	}
}

func TestFaster(t *testing.T) {
	for _, c := range []struct {
		flags string
		gain  float64
		want  bool
	}{
		{"avx2 avx512f avx512_bf16 amx_bf16", 0.51, true}, // Sapphire Rapids
		{"avx2 avx512f avx512_bf16", 0.51, false},         // the same without AMX
		{"avx2 avx512f avx512_bf16", 1, false},
		{"avx2 avx512f avx512_bf16", 2, true}, // Zen 4
	} {
		if got := faster(strings.Fields(c.flags), c.gain); got != c.want {
			t.Errorf("%s, gain %v: %v", c.flags, c.gain, got)
		}
	}
	t.Setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE")
	if HasBF16(torch.CPU) || FastBF16(torch.CPU) {
		t.Error("bf16 where it may not be used")
	}
}
