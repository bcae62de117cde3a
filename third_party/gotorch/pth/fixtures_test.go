package pth_test

import (
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/regular"
	"github.com/wangkuiyi/gotorch/weights"
)

// The files in testdata were made by PyTorch; make.py there has the formulas.

func fixture(name string) string { return filepath.Join("testdata", name) }

func ramp(n int, f func(i float32) float32) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = f(float32(i))
	}
	return out
}

func eighths(i float32) float32 { return i/8 - 1 }

func wantFloats(t *testing.T, d *weights.Dict, name string, values []float32, shape ...int64) {
	t.Helper()
	tensor := d.Get(name)
	if tensor == nil {
		t.Errorf("%s is missing", name)
		return
	}
	got, err := tensor.Float32s()
	if err != nil || !slices.Equal(got, values) || !slices.Equal(tensor.Shape, shape) {
		t.Errorf("%s: %v of shape %v, %v; want %v of shape %v", name, got, tensor.Shape, err, values, shape)
	}
}

func wantNetwork(t *testing.T, d *weights.Dict) {
	t.Helper()
	if got := d.Names(); !slices.Equal(got, []string{"0.weight", "0.bias", "2.weight", "2.bias"}) {
		t.Errorf("names %v", got)
	}
	wantFloats(t, d, "0.weight", ramp(6, eighths), 2, 3)
	wantFloats(t, d, "0.bias", ramp(2, eighths), 2)
	wantFloats(t, d, "2.weight", ramp(2, eighths), 1, 2)
	wantFloats(t, d, "2.bias", ramp(1, eighths), 1)
}

func TestStateDict(t *testing.T) {
	for _, name := range []string{"state_dict.pth", "cuda.pth"} {
		f, err := pth.Read(fixture(name))
		if err != nil {
			t.Fatal(err)
		}
		wantNetwork(t, f.Tensors)
		if f.Record != nil {
			t.Errorf("%s: a record %s", name, f.Record)
		}
	}
}

func TestTypes(t *testing.T) {
	f, err := pth.Read(fixture("types.pth"))
	if err != nil {
		t.Fatal(err)
	}
	for d := weights.Float; d <= weights.Bool; d++ {
		tensor := f.Tensors.Get(d.String())
		if tensor == nil || tensor.DType != d {
			t.Errorf("%s: got %v", d, tensor)
			continue
		}
		if d.Floating() {
			wantFloats(t, f.Tensors, d.String(), ramp(6, func(i float32) float32 { return i }), 2, 3)
			continue
		}
		want := []int64{0, 1, 2, 3, 4, 5}
		if d == weights.Bool {
			want = []int64{0, 1, 1, 1, 1, 1}
		}
		if got, err := tensor.Int64s(); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", d, got, err)
		}
	}
	wantFloats(t, f.Tensors, "empty", []float32{}, 3, 0)
	wantFloats(t, f.Tensors, "scalar", []float32{7.5})
}

func TestViews(t *testing.T) {
	f, err := pth.Read(fixture("views.pth"))
	if err != nil {
		t.Fatal(err)
	}
	identity := func(i float32) float32 { return i }
	wantFloats(t, f.Tensors, "base", ramp(24, identity), 24)
	wantFloats(t, f.Tensors, "transposed", ramp(24, func(i float32) float32 {
		return float32(math.Mod(float64(i), 4))*6 + float32(math.Floor(float64(i)/4))
	}), 6, 4)
	wantFloats(t, f.Tensors, "columns", []float32{1, 2, 7, 8, 13, 14, 19, 20}, 4, 2)
	wantFloats(t, f.Tensors, "offset", []float32{5, 6, 7, 8}, 4)
	wantFloats(t, f.Tensors, "step", []float32{0, 5, 10, 15, 20}, 5)
	wantFloats(t, f.Tensors, "expanded", []float32{3, 3, 3, 3, 3, 3}, 2, 3)
	wantFloats(t, f.Tensors, "channels_last", ramp(24, identity), 1, 2, 3, 4)
}

func TestParameter(t *testing.T) {
	f, err := pth.Read(fixture("parameter.pth"))
	if err != nil {
		t.Fatal(err)
	}
	wantFloats(t, f.Tensors, "p", []float32{0, 1, 2, 3}, 4)
	wantFloats(t, f.Tensors, "frozen", []float32{1, 1}, 2)
}

func TestTrainingCheckpoint(t *testing.T) {
	_, err := pth.Read(fixture("training.pth"))
	if !errors.Is(err, pth.ErrRefused) || !strings.Contains(err.Error(), `Its part "model" is a state_dict`) {
		t.Errorf("got %v", err)
	}
	v, err := pth.ReadValue(fixture("training.pth"))
	if err != nil {
		t.Fatal(err)
	}
	root := v.(*pth.Map)
	model, _ := root.Get("model")
	d, err := pth.DictOf(model)
	if err != nil {
		t.Fatal(err)
	}
	wantNetwork(t, d)
	for key, want := range map[string]any{
		"step": int64(5), "big": int64(1) << 40, "negative": -int64(1) << 40, "name": "mlp", "none": nil,
	} {
		if got, ok := root.Get(key); !ok || got != want {
			t.Errorf("%s: got %v", key, got)
		}
	}
	loss, _ := root.Get("loss")
	if l, ok := loss.(*pth.List); !ok || !slices.Equal(l.Items, []any{0.5, 0.25}) {
		t.Errorf("loss: got %v", loss)
	}
	nested, _ := root.Get("nested")
	pair, _ := nested.(*pth.Map).Get("pair")
	if p, ok := pair.(pth.Tuple); !ok || !slices.Equal(p, pth.Tuple{int64(1), true}) {
		t.Errorf("pair: got %v", pair)
	}
	optimiser, _ := root.Get("optimizer")
	state, _ := optimiser.(*pth.Map).Get("state")
	first, _ := state.(*pth.Map).Get(int64(0))
	moment, _ := first.(*pth.Map).Get("exp_avg")
	if m, ok := moment.(*weights.Tensor); !ok || !slices.Equal(m.Shape, []int64{2, 3}) {
		t.Errorf("exp_avg: got %v", moment)
	}
}

// A file whose root is no dict, or that another program would have to read, is refused with the reason and a remedy.
func TestRefusedFiles(t *testing.T) {
	for _, c := range []struct {
		file string
		kind error
		want string
	}{
		{"tensor.pth", pth.ErrRefused, "a tensor, not a dict of tensors; save a state_dict"},
		{"protocol4.pth", pth.ErrRefused, "pickle protocol 4"},
		{"complex.pth", pth.ErrRefused, "torch.ComplexFloatStorage"},
		{"uint16.pth", pth.ErrRefused, "torch._utils._rebuild_tensor_v3"},
		{"dtype.pth", pth.ErrRefused, "torch.float32"},
		{"module.pth", pth.ErrRefused, "torch.nn.modules.container.Sequential"},
		{"legacy.pth", pth.ErrNotPth, "legacy format"},
		{"script.pt", pth.ErrNotPth, "TorchScript"},
		{"exported.pt2", pth.ErrNotPth, "exported program"},
		{"make.py", pth.ErrNotPth, "does not begin as a ZIP file does"},
		{"", regular.ErrNotRegular, "not a regular file"},
	} {
		_, err := pth.Read(fixture(c.file))
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want ...%s...", c.file, err, c.want)
		}
	}
	if v, err := pth.ReadValue(fixture("tensor.pth")); err != nil || v.(*weights.Tensor).String() != "float32[3]" {
		t.Errorf("tensor.pth: got %v, %v", v, err)
	}
}
