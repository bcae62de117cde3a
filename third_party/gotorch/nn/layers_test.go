package nn_test

import (
	"math"
	"strconv"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
)

// Forward of every layer is an operation that the binding's own tests compare
// with PyTorch; here it is the layers' shapes, their parameters, and where
// PyTorch's initialisation puts them.
func TestLayers(t *testing.T) {
	f := func(shape ...int64) torch.Tensor { return torch.RandN(shape, false) }
	for _, c := range []struct {
		name   string
		layer  nn.IModule
		in     torch.Tensor
		out    []int64
		bounds map[string]float64 // of parameters: the greatest magnitude that PyTorch gives them
	}{
		{"Linear", nn.Linear(100, 50, true), f(2, 3, 100), []int64{2, 3, 50}, map[string]float64{"weight": 0.1, "bias": 0.1}},
		{"Linear without bias", nn.Linear(100, 50, false), f(2, 100), []int64{2, 50}, map[string]float64{"weight": 0.1}},
		{"Conv1d", nn.Conv1d(16, 40, 4, nn.ConvOptions{Stride: 2, Padding: 1}), f(2, 16, 8), []int64{2, 40, 4}, map[string]float64{"weight": 0.125, "bias": 0.125}},
		{"Conv2d", nn.Conv2d(16, 33, 3, 2, 0, 1, 1, true, "zeros"), f(2, 16, 9, 11), []int64{2, 33, 4, 5}, map[string]float64{"weight": 1.0 / 12, "bias": 1.0 / 12}},
		{"Conv2D", nn.Conv2D(16, 32, 3, nn.ConvOptions{Padding: 2, Dilation: 2, Groups: 4, NoBias: true}), f(2, 16, 5, 5), []int64{2, 32, 5, 5}, map[string]float64{"weight": 1.0 / 6}},
		{"ConvTranspose2d", nn.ConvTranspose2d(16, 36, 2, 2, 0, 1, 1, true, 1, "zeros"), f(2, 16, 5, 6), []int64{2, 36, 11, 13}, map[string]float64{"weight": 1.0 / 12, "bias": 1.0 / 12}},
		{"ConvTranspose2D", nn.ConvTranspose2D(16, 9, 2, nn.ConvOptions{Stride: 2}), f(2, 16, 5, 6), []int64{2, 9, 10, 12}, map[string]float64{"weight": 1.0 / 6, "bias": 1.0 / 6}},
		{"GroupNorm", nn.GroupNorm(4, 8), f(2, 8, 3), []int64{2, 8, 3}, map[string]float64{"weight": 1, "bias": 0}},
		{"LayerNorm", nn.LayerNorm(8), f(2, 3, 8), []int64{2, 3, 8}, map[string]float64{"weight": 1, "bias": 0}},
		{"BatchNorm2d", nn.BatchNorm2d(8, 1e-5, 0.1, true, true), f(2, 8, 3, 3), []int64{2, 8, 3, 3}, map[string]float64{"weight": 1, "bias": 0, "running_mean": 0, "running_var": 1}},
		{"Embedding", nn.Embedding(1000, 4), torch.NewTensor([][]int64{{1, 2, 999}}), []int64{1, 3, 4}, map[string]float64{"weight": 4}},
		{"Dropout", nn.Dropout(0.5), f(2, 3), []int64{2, 3}, nil},
		{"SiLU", nn.SiLU(), f(2, 3), []int64{2, 3}, nil},
		{"GELU", nn.GELU(), f(2, 3), []int64{2, 3}, nil},
		{"ReLU", nn.ReLU(), f(2, 3), []int64{2, 3}, nil},
		{"Flatten", nn.Flatten(), f(2, 3, 4), []int64{2, 12}, nil},
		{"MaxPool2D", nn.MaxPool2D(3, nn.PoolOptions{Stride: 2, Padding: 1}), f(2, 3, 7, 7), []int64{2, 3, 4, 4}, nil},
		{"MaxPool2D by default", nn.MaxPool2D(2, nn.PoolOptions{}), f(2, 3, 6, 4), []int64{2, 3, 3, 2}, nil},
		{"AvgPool2D", nn.AvgPool2D(2, nn.PoolOptions{}), f(2, 3, 6, 4), []int64{2, 3, 3, 2}, nil},
		{"Upsample", nn.Upsample(2, nn.Nearest), f(2, 3, 3, 2), []int64{2, 3, 6, 4}, nil},
		{"Upsample, bilinear", nn.Upsample(2, nn.Bilinear), f(2, 3, 3, 2), []int64{2, 3, 6, 4}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := nn.Sequential(c.layer).Forward(c.in).(torch.Tensor)
			if got := out.Shape(); !equal(got, c.out) {
				t.Errorf("output %v, want %v", got, c.out)
			}
			tensors := nn.Tensors(c.layer)
			if len(tensors) != len(c.bounds) {
				t.Errorf("%d tensors, want %d", len(tensors), len(c.bounds))
			}
			for _, p := range tensors {
				if p.Tensor.RequiresGrad() == p.Buffer {
					t.Errorf("%s: gradients are %v", p.Name, !p.Buffer)
				}
			}
			// Batch normalisation has changed its running numbers by now.
			fresh := map[string]torch.Tensor{}
			for _, p := range tensors {
				if !p.Buffer {
					fresh[p.Name] = p.Tensor
				}
			}
			for name, p := range fresh {
				bound, ok := c.bounds[name]
				m := torch.MaxAll(torch.Abs(p)).ItemFloat()
				switch {
				case !ok:
					t.Errorf("%s is unexpected", name)
				case c.name == "Embedding": // N(0,1): 4,000 numbers
					if m < 3 || m > 5.5 {
						t.Errorf("the greatest of %s is %v", name, m)
					}
				// The greatest of n uniform numbers is below 0.8 of the bound
				// with probability 0.8^n, less than 1e-6 from 64 on.
				case m > bound*(1+1e-6) || m < 0.8*bound && p.Numel() >= 64:
					t.Errorf("the greatest of %s is %v, want close to %v", name, m, bound)
				}
			}
		})
	}
}

func equal(a, b []int64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// In training the running numbers move by momentum towards the batch's, whose
// variance is the unbiased one; outside of it they are used.
func TestBatchNormRunsAlong(t *testing.T) {
	b := nn.BatchNorm2d(1, 0, 0.25, true, true)
	x := torch.NewTensor([][][][]float32{{{{1, 3}}}, {{{5, 7}}}}) // mean 4, variance 5, unbiased 20/3
	y := torch.ToSlice[float32](b.Forward(x))
	if d := math.Abs(float64(y[0]) + 3/math.Sqrt(5)); d > 1e-6 {
		t.Errorf("in training %v", y)
	}
	if m, v := b.RunningMean.Index(0).ItemFloat(), b.RunningVar.Index(0).ItemFloat(); math.Abs(m-1) > 1e-6 || math.Abs(v-(0.75+5.0/3)) > 1e-6 {
		t.Errorf("mean %v, variance %v", m, v)
	}
	b.Train(false)
	y = torch.ToSlice[float32](b.Forward(x))
	if want := (1 - 1.0) / math.Sqrt(0.75+5.0/3); math.Abs(float64(y[0])-want) > 1e-6 {
		t.Errorf("outside training %v", y)
	}
	plain := nn.BatchNorm2d(1, 0, 0.25, false, false)
	plain.Train(false)
	if y := torch.ToSlice[float32](plain.Forward(x)); math.Abs(float64(y[0])+3/math.Sqrt(5)) > 1e-6 || len(nn.Tensors(plain)) != 0 {
		t.Errorf("without running numbers %v", y)
	}
}

// As in upstream's tests: modules without Init, values of any type.
type halve struct{ nn.Module }

func (*halve) Forward(x, y int) (int64, int64) { return int64(x) / 2, int64(y) / 2 }

type describe struct{ nn.Module }

func (*describe) Forward(x, y int64) string { return strconv.FormatInt(x+y, 10) }

type inner struct {
	nn.Module
	module *nn.SequentialModule
}

func (m *inner) Forward(x, y int) string { return m.module.Forward(x, y).(string) }

type variable struct{ nn.Module }

func (*variable) Forward(s string, more ...int) int { return len(s) + len(more) }

func TestSequential(t *testing.T) {
	s := nn.Sequential(&inner{module: nn.Sequential(&halve{}, &describe{})}, &variable{})
	if got := s.Forward(20, 8); got != 2 { // "14"
		t.Errorf("%v", got)
	}
	for name, f := range map[string]func(){
		"no modules":        func() { nn.Sequential().Forward(1) },
		"too many values":   func() { nn.Sequential(&describe{}).Forward(int64(1)) },
		"another type":      func() { nn.Sequential(&describe{}).Forward(1, 2) },
		"no Forward":        func() { nn.Sequential(&struct{ nn.Module }{}).Forward() },
		"two values at end": func() { nn.Sequential(&halve{}).Forward(1, 2) },
	} {
		if err := torch.Try(f); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	deep := nn.Sequential(nn.Linear(2, 3, true), nn.SiLU(), nn.Sequential(nn.Linear(3, 1, false)))
	if n := len(deep.Parameters()); n != 3 {
		t.Errorf("%d parameters", n)
	}
	if _, ok := deep.StateDict()["SequentialModule.Modules[2].Modules[0].Weight"]; !ok {
		t.Errorf("%v", deep.StateDict())
	}
}

// A convolution whose bias is added elsewhere is the convolution, frozen or not.
func TestConvolutionWithoutBias(t *testing.T) {
	c := nn.Conv2D(3, 4, 3, nn.ConvOptions{Padding: 1})
	x := torch.RandN([]int64{2, 3, 5, 6}, false)
	torch.NoGrad(func() {
		for range 2 {
			y := torch.Add(c.ForwardWithoutBias(x), c.Bias.View(1, -1, 1, 1), 1)
			if d := torch.MaxAll(torch.Abs(torch.Sub(y, c.Forward(x), 1))).ItemFloat(); d > 1e-5 {
				t.Errorf("%v off", d)
			}
			nn.Freeze(c, torch.Float)
		}
	})
}
