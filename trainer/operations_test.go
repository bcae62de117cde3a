package trainer

import (
	"slices"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
	"flowmatch/datasets/plane"
	"flowmatch/models"
)

// What a whole step runs is counted: operations of libtorch and of ours, with those
// that they call and the nodes of gradients; casts; new tensors. The numbers may
// fall; a rise is work that was not there. Times, which depend on the machine,
// decide nothing.
func TestOperationsOfAStep(t *testing.T) {
	threads := torch.NumThreads()
	defer torch.SetNumThreads(int32(threads))
	torch.SetNumThreads(1)
	points := func(c *Config) models.Config {
		c.BatchSize, c.StableTargets, c.StratifiedTimes = 64, true, true
		return models.MLPConfig{HiddenDim: 32}
	}
	digits := func(*Config) models.Config { return small() }
	dit := func(*Config) models.Config {
		return models.DiTConfig{Channels: 1, Size: 8, Width: 64, Depth: 2, NumHeads: 2, NumClasses: 10}
	}
	moons, err := plane.Open("moons")
	if err != nil {
		t.Fatal(err)
	}
	images, err := datasets.Digits()
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name      string
		set       datasets.Set
		of        func(*Config) models.Config
		precision string
		most      counted
	}{
		// The norm of all gradients is one operation.
		{"points", moons, points, "fp32", counted{303, 10, 37}},
		// Each pass of a linear layer, its SiLU in it, has memory to work in, a tensor, and
		// casts no weight.
		{"points", moons, points, "bf16", counted{269, 14, 49}},
		// The gradient that comes by the way around a block is added in the pass of its first
		// normalisation, which wants it without gaps: one that is a part of another is copied.
		// A product in place of a convolution is more operations, for the views of
		// its operands, which compute nothing, and fewer tensors.
		// Winograd's convolutions have memory to work in, shared by threads: tensors.
		{"digits", images, digits, "fp32", counted{2517, 7, 343}},
		{"digits", images, digits, "bf16", counted{2228, 56, 369}},
		// Each of a transformer's normalisations is one operation with what modulates it, with the
		// gate and the addition before it, and with the cast to bf16; GELU is in its layer.
		{"DiT", images, dit, "fp32", counted{1317, 5, 111}},
		{"DiT", images, dit, "bf16", counted{964, 54, 210}},
	} {
		t.Run(step.name+", "+step.precision, func(t *testing.T) {
			if step.precision == "bf16" && !slices.Contains(torch.CPUFlags(), "amx_bf16") {
				t.Skip("counted on a processor with AMX, which has convolutions of its own")
			}
			c := config(4)
			c.Precision = step.precision
			n, err := step.of(&c).Build()
			if err != nil {
				t.Fatal(err)
			}
			src, err := Data(step.set)(c, torch.CPU, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			e := newEngine(c, n, torch.CPU)
			defer e.close()
			var got counted
			for k := range 3 {
				got = counted{}
				for _, o := range torch.Profile(func() {
					if err := e.step(k, src); err != nil {
						t.Fatal(err)
					}
				}) {
					got.add(o)
				}
			}
			if m := step.most; got.operations > m.operations || got.casts > m.casts || got.tensors > m.tensors {
				t.Errorf("%+v, at most %+v were there before", got, m)
			} else if got != m {
				t.Logf("%+v, %+v before", got, m)
			}
		})
	}
}

type counted struct{ operations, casts, tensors int }

func (c *counted) add(o torch.OperationProfile) {
	c.operations += o.Calls
	switch o.Name {
	case "aten::_to_copy":
		c.casts += o.Calls
	case "aten::empty", "aten::empty_strided":
		c.tensors += o.Calls
	}
}
