package models

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
)

// The fixtures and the formula: testdata/README.md.

type filled struct {
	Shape         []int64
	K             uint32
	Scale, Offset float64
}

func mix(h uint32) uint32 {
	h ^= h >> 16
	h *= 0x85EBCA6B
	h ^= h >> 13
	h *= 0xC2B2AE35
	return h ^ h>>16
}

func fill(n int64, k uint32, scale, offset float64) []float32 {
	out := make([]float32, n)
	for i := range out {
		h := mix(mix(uint32(i)) ^ mix(k+0x9E3779B9))
		out[i] = float32(offset + scale*(float64(h>>8)/(1<<24)-0.5))
	}
	return out
}

func (f filled) tensor() torch.Tensor {
	return torch.FromSlice(fill(torch.Numel(f.Shape), f.K, f.Scale, f.Offset), f.Shape...)
}

type summary struct {
	Shape               []int64
	Sum, Max, Norm, Dot float64
	At                  []int
	Values              []float64
}

type fixture struct {
	Kind           string `json:"-"` // by the file's name
	Config         json.RawMessage
	Count, Tensors int64
	Inputs         struct {
		X, T, W filled
		Y       []int64
	}
	Output   summary
	Loss     float64
	XGrad    summary `json:"x_grad"`
	GradNorm float64 `json:"grad_norm"`

	Parameters []struct {
		Name          string
		Shape         []int64
		Scale, Offset float64
		Init          string
		Bound         float64 // of a uniform draw, or the spread of a normal one
		Grad          *summary
		ZeroGrad      bool `json:"zero_grad"`
	}
}

func fixtures(t *testing.T) map[string]fixture {
	t.Helper()
	files, err := filepath.Glob("testdata/*-*.json")
	if err != nil || len(files) < 8 {
		t.Fatalf("fixtures: %v, %v", files, err)
	}
	all := map[string]fixture{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var x fixture
		if err := json.Unmarshal(b, &x); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		x.Kind, _, _ = strings.Cut(filepath.Base(f), "-")
		all[filepath.Base(f)] = x
	}
	return all
}

func (f fixture) build(t *testing.T) Network {
	t.Helper()
	c, err := ParseConfig(f.Kind, f.Config)
	if err != nil {
		t.Fatal(err)
	}
	n, err := c.Build()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// compare holds got against a summary made in float64. tol is relative to the
// greatest magnitude, dotTol and normTol to the norm.
func compare(t *testing.T, what string, got []float32, want summary, k uint32, tol, dotTol, normTol float64) {
	t.Helper()
	at := want.At
	if at == nil {
		for i := range want.Values {
			at = append(at, i)
		}
		if len(got) != len(want.Values) {
			t.Fatalf("%s: %d elements, want %d", what, len(got), len(want.Values))
		}
	}
	for j, i := range at {
		if d := math.Abs(float64(got[i]) - want.Values[j]); !(d <= tol*want.Max) {
			t.Errorf("%s[%d] = %v, want %v: off by %.2g of the greatest", what, i, got[i], want.Values[j], d/want.Max)
			return
		}
	}
	w := fill(int64(len(got)), k, 2, 0)
	var dot, sq float64
	for i, g := range got {
		dot += float64(g) * float64(w[i])
		sq += float64(g) * float64(g)
	}
	if d := math.Abs(dot-want.Dot) / want.Norm; !(d <= dotTol) {
		t.Errorf("%s: dot %v, want %v: off by %.2g of the norm", what, dot, want.Dot, d)
	}
	if d := math.Abs(math.Sqrt(sq)-want.Norm) / want.Norm; !(d <= normTol) {
		t.Errorf("%s: norm %v, want %v", what, math.Sqrt(sq), want.Norm)
	}
}

func norm(v []float32) float64 {
	var s float64
	for _, x := range v {
		s += float64(x) * float64(x)
	}
	return math.Sqrt(s)
}

// Every parameter filled by the formula: at its own initialisation the network
// computes 0 and nearly every gradient is 0.
func TestNetworksAgreeWithPyTorch(t *testing.T) {
	for name, f := range fixtures(t) {
		t.Run(name, func(t *testing.T) {
			torch.Scoped(func() { agree(t, name, f) })
		})
	}
}

func agree(t *testing.T, name string, f fixture) {
	u := f.build(t)
	all := nn.Tensors(u)
	if len(all) != len(f.Parameters) || int64(len(all)) != f.Tensors {
		t.Fatalf("%d tensors, want %d", len(all), f.Tensors)
	}
	count := int64(0)
	for k, p := range f.Parameters {
		if all[k].Name != p.Name {
			t.Fatalf("tensor %d is %s, want %s", k, all[k].Name, p.Name)
		}
		v := filled{p.Shape, uint32(k), p.Scale, p.Offset}.tensor()
		count += v.Numel()
		torch.NoGrad(func() { all[k].Tensor.CopyI(v) })
	}
	if count != f.Count {
		t.Fatalf("%d parameters, want %d", count, f.Count)
	}

	x, w := f.Inputs.X.tensor().SetRequiresGrad(true), f.Inputs.W.tensor()
	var y torch.Tensor
	if f.Inputs.Y != nil {
		y = torch.FromSlice(f.Inputs.Y, int64(len(f.Inputs.Y)))
	}
	out := u.Velocity(x, f.Inputs.T.tensor(), y)
	// Tolerances are those of testdata/README.md.
	outTol, gradTol := 2e-5/f.Output.Max, 5e-5
	if name == "unet-two-heads.json" {
		gradTol = 1e-4
	}
	compare(t, "output", torch.ToSlice[float32](out), f.Output, 1003, outTol, 5e-5, 2e-5)
	torch.SumAll(torch.Mul(out, w)).Backward()
	compare(t, "x.grad", torch.ToSlice[float32](x.Grad()), f.XGrad, 1004, 5e-5, 5e-5, 2e-5)
	for k, p := range f.Parameters {
		if p.Init == "table" {
			if all[k].Tensor.Grad().Defined() {
				t.Errorf("%s is trained", p.Name)
			}
			continue
		}
		g := torch.ToSlice[float32](all[k].Tensor.Grad())
		if p.ZeroGrad {
			if n := norm(g); n > 1e-6*f.GradNorm {
				t.Errorf("%s.grad has norm %.2g, want next to nothing", p.Name, n)
			}
			continue
		}
		compare(t, p.Name+".grad", g, *p.Grad, uint32(2000+k), gradTol, 5e-5, 2e-5)
	}
	got := torch.GradNorm(nn.Parameters(u)).ItemFloat()
	if math.Abs(got-f.GradNorm) > 2e-5*f.GradNorm {
		t.Errorf("gradient norm %v, want %v", got, f.GradNorm)
	}
}

// The initialisation is PyTorch's: the same tensors are 0, the others have its
// bounds and spread.
func TestInitialisation(t *testing.T) {
	for _, name := range []string{"unet-digits.json", "dit-two-classes.json"} {
		t.Run(name, func(t *testing.T) { initialised(t, fixtures(t)[name]) })
	}
}

func initialised(t *testing.T, f fixture) {
	torch.ManualSeed(1)
	u := f.build(t)
	for k, n := range nn.Tensors(u) {
		p := f.Parameters[k]
		v := torch.ToSlice[float32](n.Tensor)
		var lo, hi, sum, sq float64
		lo, hi = math.Inf(1), math.Inf(-1)
		for _, x := range v {
			lo, hi = min(lo, float64(x)), max(hi, float64(x))
			sum += float64(x)
			sq += float64(x) * float64(x)
		}
		mean, std := sum/float64(len(v)), math.Sqrt(sq/float64(len(v)))
		root := math.Sqrt(float64(len(v)))
		var wantStd float64
		switch p.Init {
		case "zero", "one":
			want := map[string]float64{"zero": 0, "one": 1}[p.Init]
			if lo != want || hi != want {
				t.Errorf("%s is in [%v,%v], want %v", p.Name, lo, hi, want)
			}
			continue
		case "uniform":
			if lo < -p.Bound || hi > p.Bound {
				t.Errorf("%s is in [%v,%v], beyond %v", p.Name, lo, hi, p.Bound)
			}
			wantStd = p.Bound / math.Sqrt(3)
		case "normal":
			wantStd = p.Bound
		case "table":
			continue // TestPositions
		default:
			t.Fatalf("%s: init %q", p.Name, p.Init)
		}
		// Five standard errors of mean and spread (at most those of a normal).
		if math.Abs(mean) > 5*wantStd/root || math.Abs(std-wantStd) > 5*wantStd/root {
			t.Errorf("%s: mean %v, spread %v; want 0 and %v", p.Name, mean, std, wantStd)
		}
	}
	if out := u.Velocity(f.Inputs.X.tensor(), f.Inputs.T.tensor(), torch.FromSlice(f.Inputs.Y, 2)); torch.MaxAll(torch.Abs(out)).ItemFloat() != 0 {
		t.Error("a fresh network must compute 0")
	}
}

func TestUNetConfigCheck(t *testing.T) {
	good := UNetConfig{Channels: 1, Size: 8, NumChannels: 32}.Defaults()
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*UNetConfig){
		"channels not a multiple": func(c *UNetConfig) { c.NumChannels = 48 },
		"no channels":             func(c *UNetConfig) { c.NumChannels = 0 },
		"odd size":                func(c *UNetConfig) { c.Size = 9 },
		"too deep":                func(c *UNetConfig) { c.ChannelMult = []int{1, 1, 1, 1, 1} },
		"multiplier 0":            func(c *UNetConfig) { c.ChannelMult = []int{1, 0} },
		"no blocks":               func(c *UNetConfig) { c.NumResBlocks = -1 },
		"heads":                   func(c *UNetConfig) { c.NumHeads = 5 },
		"dropout":                 func(c *UNetConfig) { c.Dropout = 1 },
		"resolution":              func(c *UNetConfig) { c.AttentionResolutions = []int{0} },
		"null of nothing":         func(c *UNetConfig) { c.NullClass = true },
	} {
		c := good
		change(&c)
		if _, err := NewUNet(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
