package cli

import (
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

// --device auto says why a GPU that is there is not used.
func TestChoose(t *testing.T) {
	fit := func() string { return "" }
	old := func() string { return "it is too old" }
	never := func() string { t.Error("a GPU was asked while CUDA is off"); return "" }
	for _, c := range []struct {
		name string
		g    gpus
		gpu  bool
		why  string
	}{
		{"a GPU", gpus{present: true, unfit: fit}, true, ""},
		{"no GPU", gpus{why: "no NVIDIA driver", unfit: never}, false, ""},
		{"a GPU whose driver is too old", gpus{why: "the driver is too old", present: true, unfit: never}, false, "the driver is too old"},
		{"a GPU without kernels", gpus{present: true, unfit: old}, false, "it is too old"},
	} {
		d, why := choose(c.g)
		if d.IsCUDA() != c.gpu || why != c.why {
			t.Errorf("%s: %v, %q", c.name, d, why)
		}
	}
	if d, _ := choose(gpus{unfit: fit}); d != torch.NewDevice("cuda:0") {
		t.Errorf("auto is %v", d)
	}
	for n, want := range map[int]string{1: "there is one GPU, cuda:0", 4: "there are 4 GPUs, cuda:0 to cuda:3"} {
		if got := count(n); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
