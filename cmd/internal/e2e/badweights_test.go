package e2e

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/weights"

	"flowmatch/trainer"
)

// Weights that are no numbers, too large, or of another size are told in a line by whatever
// reads them, before anything is written; samples that are no numbers are not drawn.
func TestBadWeights(t *testing.T) {
	ckpt := moonsModel(t)
	of, err := pth.Read(ckpt)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	made := func(name string, change func(name string, v []float32, shape []int64) *weights.Tensor) string {
		d := &weights.Dict{}
		for name, w := range of.Tensors.All() {
			v, err := w.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			d.Set(name, change(name, v, w.Shape))
		}
		path := filepath.Join(dir, name+".pth")
		if err := pth.WriteFile(path, &weights.File{Tensors: d}); err != nil {
			t.Fatal(err)
		}
		return path
	}
	scaled := func(by float32) func(string, []float32, []int64) *weights.Tensor {
		return func(_ string, v []float32, shape []int64) *weights.Tensor {
			for i := range v {
				v[i] *= by
			}
			return weights.FromFloat32(v, shape...)
		}
	}
	const first, last = "layers.0.weight", "layers.6.bias"
	one := func(value float32) func(string, []float32, []int64) *weights.Tensor {
		return func(name string, v []float32, shape []int64) *weights.Tensor {
			if name == last {
				v[len(v)-1] = value
			}
			return weights.FromFloat32(v, shape...)
		}
	}
	fine := made("fine", scaled(1))
	refused(t, program(t, "convert", nil, "--dtype", "bf16", made("most", one(math.MaxFloat32)), filepath.Join(dir, "small.pth")), 1, last+" has numbers that bfloat16 cannot hold")
	type said struct {
		status int
		words  string
	}
	for _, c := range []struct {
		file                              string
		sample, evaluate, reflow, compare said
		train                             said
		bf16                              said // convert --dtype bf16
	}{
		{
			made("nan", one(float32(math.NaN()))), said{1, last + " is not finite"}, said{1, last + " is not finite"}, said{1, last + " is not finite"},
			said{1, last + " is not finite"}, said{1, last + " is not finite"}, said{},
		},
		{
			made("wide", func(name string, v []float32, shape []int64) *weights.Tensor {
				wide := make([]float64, len(v))
				for i := range v {
					wide[i] = float64(v[i])
				}
				if name == first {
					wide[0] = 1e300
				}
				return weights.FromFloat64(wide, shape...)
			}), said{1, first + " has numbers that float32 cannot hold"}, said{1, "float32 cannot hold"}, said{1, "float32 cannot hold"},
			said{1, "float32 cannot hold"}, said{1, "float32 cannot hold"}, said{1, first + " has numbers that bfloat16 cannot hold"},
		},
		{
			made("huge", scaled(1e25)), said{1, "not finite, and nothing is written"}, said{1, "not a finite number: sw2 of euler:2"},
			said{1, "the teacher's samples are not finite: it cannot teach"}, said{1, "samples of flow matching are not finite, and nothing is drawn of them"},
			said{3, "since step 1: the run has diverged; look at the data, and at the weights that it began with"}, said{},
		},
		{
			made("empty", func(name string, v []float32, shape []int64) *weights.Tensor {
				if name == first {
					return weights.FromFloat32(nil, 0)
				}
				return weights.FromFloat32(v, shape...)
			}), said{1, "do not fit"}, said{1, "do not fit"}, said{1, "do not fit"}, said{1, "do not fit"}, said{2, first + ": [0] in the file"}, said{},
		},
	} {
		network := []string{"--dataset", "moons", "--hidden-dim", "16", "--device", "cpu", "--quiet"}
		out := filepath.Join(dir, strings.TrimSuffix(filepath.Base(c.file), ".pth"))
		for _, run := range []struct {
			name string
			want said
			args []string
		}{
			{"sample", c.sample, []string{"--checkpoint", c.file, "--num-samples", "20", "--steps", "2", "--npz", filepath.Join(dir, "x.npz"), "--output-dir", out}},
			{"reflow", c.reflow, []string{"--checkpoint", c.file, "--iterations", "3", "--batch-size", "16", "--steps", "2", "--no-figures", "--output-dir", out}},
			{"compare", c.compare, []string{"--checkpoint", c.file, "--reflow-checkpoint", fine, "--figure-samples", "100", "--output-dir", out}},
			{"train", c.train, []string{"--init-from", c.file, "--iterations", "3", "--batch-size", "16", "--output-dir", out}},
		} {
			refused(t, program(t, run.name, nil, append(run.args, network...)...), run.want.status, run.want.words)
		}
		r := program(t, "evaluate", nil, append([]string{"--checkpoint", c.file, "--num-samples", "50", "--solvers", "euler:2", "--measures", "sw2"}, network...)...)
		if r.status != c.evaluate.status || !strings.Contains(r.errOut, c.evaluate.words) || strings.Count(r.errOut, "\n") != 1 {
			t.Errorf("evaluate %s: status %d, %q", c.file, r.status, r.errOut)
		}
		if c.bf16.status != 0 {
			refused(t, program(t, "convert", nil, "--dtype", "bf16", c.file, out+".safetensors"), c.bf16.status, c.bf16.words)
		}
		must(t, program(t, "convert", nil, c.file, out+".safetensors")) // nothing is lost by it
		if _, err := os.Stat(filepath.Join(dir, "x.npz")); err == nil {
			t.Errorf("%s: samples were written", c.file)
		}
		err := filepath.WalkDir(out, func(path string, _ os.DirEntry, err error) error {
			if e := filepath.Ext(path); e == ".png" || e == ".gif" || filepath.Base(path) == "run.json" && c.train.status < 3 && strings.Contains(path, "cfm") {
				t.Errorf("%s: %s was written", c.file, path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		if c.train.status == 3 && !trainer.HoldsRun(filepath.Join(out, "cfm/moons")) {
			t.Errorf("%s: the run that diverged is not there", c.file)
		}
	}
}
