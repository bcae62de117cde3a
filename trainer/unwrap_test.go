package trainer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/safetensors"
	"github.com/wangkuiyi/gotorch/weights"

	"flowmatch/models"
)

// numbers are those of testdata's averaged weights, times scale.
func numbers(scale float32) (d *weights.Dict) {
	d = &weights.Dict{}
	i := 0
	put := func(name string, shape ...int64) {
		v := make([]float32, weights.Numel(shape))
		for k := range v {
			v[k] = float32(i) / 100 * scale
			i++
		}
		d.Set(name, weights.FromFloat32(v, shape...))
	}
	for _, l := range []struct {
		name          string
		rows, columns int64
	}{{"0", 4, 3}, {"2", 4, 4}, {"4", 4, 4}, {"6", 2, 4}} {
		put("layers."+l.name+".weight", l.rows, l.columns)
		put("layers."+l.name+".bias", l.rows)
	}
	return d
}

func sameDict(t *testing.T, what string, got, want *weights.Dict) {
	t.Helper()
	if !slices.Equal(got.Names(), want.Names()) {
		t.Errorf("%s: tensors %v, want %v", what, got.Names(), want.Names())
		return
	}
	for name, w := range want.All() {
		if !got.Get(name).Equal(w) {
			t.Errorf("%s: %s has other numbers", what, name)
		}
	}
}

// Checkpoints as people have them, saved by PyTorch (testdata/make_checkpoints.py).
func TestPeoplesCheckpoints(t *testing.T) {
	ema, raw := numbers(1), numbers(0.5)
	for _, c := range []struct {
		file string
		want Averaging
		is   *weights.Dict
		note string
	}{
		{"nested.pt", Best, ema, "ema_model are taken and not net_model (ask for raw takes"},
		{"nested.pt", Averaged, ema, "ema_model are taken"},
		{"nested.pt", Raw, raw, "net_model are taken and not ema_model"},
		{"named_moments.pt", Best, raw, "the prefix model was"},
		{"lightning.ckpt", Best, raw, "the prefix state_dict.net was"},
		{"averaged_model.pth", Best, ema, "n_averaged is no weight"},
		{"averaged_model.pth", Averaged, ema, "the prefix module was"},
	} {
		ck, err := ReadNetwork(filepath.Join("testdata", c.file), c.want)
		if err != nil {
			t.Errorf("%s %q: %v", c.file, c.want, err)
			continue
		}
		sameDict(t, c.file+" "+string(c.want), ck.Tensors, c.is)
		if note := ck.Note("ask for raw"); !strings.Contains(note, c.note) {
			t.Errorf("%s: the note %q does not say %q", c.file, note, c.note)
		}
	}
	for _, c := range []struct {
		file  string
		want  Averaging
		usage bool
		words string
	}{
		{"averaged_model.pth", Raw, true, "averaged weights alone, module"},
		{"lightning.ckpt", Averaged, true, "no weights that are named as averaged"},
		{"several.pt", Best, true, "generator and encoder"},
		{"other_network.pt", Best, false, `weights_only=True)["ema"]`},
		{"lightning_objects.ckpt", Best, false, `argparse.Namespace`},
		{"lightning_objects.ckpt", Best, false, `torch.save(torch.load(FILE, weights_only=False)["state_dict"], NEW)`},
	} {
		_, err := ReadNetwork(filepath.Join("testdata", c.file), c.want)
		var w *WeightsError
		if err == nil || errors.As(err, &w) != c.usage || !strings.Contains(err.Error(), c.words) || !strings.Contains(err.Error(), c.file) {
			t.Errorf("%s %q: %v", c.file, c.want, err)
		}
	}
}

// Prefixes and single numbers of dicts of tensors, in both formats.
func TestPrefixes(t *testing.T) {
	want := numbers(1)
	for _, c := range []struct {
		prefix, other string
		scalars       []string
	}{
		{"", "", nil},
		{"module.", "", nil},
		{"_orig_mod.", "", nil},
		{"module._orig_mod.", "", nil},
		{"net.", "", []string{"num_updates"}},
		{"ema_model.", "online_model.", []string{"initted", "step"}},
		{"model_ema.module.", "model.", nil},
		{"", "", []string{"num_updates"}},
		{"ema.", "", nil},
	} {
		d := &weights.Dict{}
		if c.other != "" {
			for name, w := range numbers(0.5).All() {
				d.Set(c.other+name, w)
			}
		}
		for name, w := range want.All() {
			d.Set(c.prefix+name, w)
		}
		for _, s := range c.scalars {
			d.Set(s, weights.ScalarInt(3))
		}
		for _, ending := range []string{".pth", ".safetensors"} {
			path := filepath.Join(t.TempDir(), "x"+ending)
			if err := WriteWeights(t.Context(), path, &weights.File{Tensors: d}); err != nil {
				t.Fatal(err)
			}
			ck, err := ReadCheckpoint(path)
			if err != nil {
				t.Fatal(err)
			}
			sameDict(t, c.prefix+ending, ck.Tensors, want)
			note := ck.Note("x")
			if plain := c.prefix == "" && c.scalars == nil; plain != (note == "") || strings.Contains(note, "\n") {
				t.Errorf("%s: the note %q", c.prefix, note)
			}
			for _, s := range c.scalars {
				if !strings.Contains(note, s) {
					t.Errorf("%s: the note %q does not name %s", c.prefix, note, s)
				}
			}
		}
	}
}

// A stop leaves the file of before, and nothing beside it.
func TestWriteWeightsStops(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.safetensors")
	if err := WriteWeights(t.Context(), path, &weights.File{Tensors: numbers(1)}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	if err := WriteWeights(ctx, path, &weights.File{Tensors: numbers(2)}); !errors.Is(err, enough) {
		t.Errorf("%v", err)
	}
	ck, err := ReadCheckpoint(path)
	if err != nil {
		t.Fatal(err)
	}
	sameDict(t, "after a stop", ck.Tensors, numbers(1))
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left: %v", entries)
	}
}

// What would not fit exactly is left as it is, for the network to refuse: a tensor too
// many, and a dict of another network with its single numbers.
func TestNothingElseIsTakenOff(t *testing.T) {
	d := numbers(1)
	d.Set("layers.8.weight", weights.FromFloat32([]float32{1}, 1))
	path := filepath.Join(t.TempDir(), "x.pth")
	if err := pth.WriteFile(path, &weights.File{Tensors: d}); err != nil {
		t.Fatal(err)
	}
	ck, err := ReadCheckpoint(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := models.NewMLP(models.MLPConfig{HiddenDim: 4})
	if err != nil {
		t.Fatal(err)
	}
	if err := models.Load(m, ck.Tensors); err == nil || !strings.Contains(err.Error(), "unexpected: layers.8.weight") {
		t.Errorf("%v", err)
	}
	other := &weights.Dict{}
	other.Set("module.conv.weight", weights.FromFloat32([]float32{1, 2}))
	other.Set("module.bn.num_batches_tracked", weights.ScalarInt(3))
	if err := safetensors.WriteFile(path+".safetensors", &weights.File{Tensors: other}); err != nil {
		t.Fatal(err)
	}
	if ck, err = ReadCheckpoint(path + ".safetensors"); err != nil {
		t.Fatal(err)
	}
	sameDict(t, "another network", ck.Tensors, other)
}

// The names that a network is found by are those of our networks.
func TestAnchors(t *testing.T) {
	u, err := models.NewUNet(small())
	if err != nil {
		t.Fatal(err)
	}
	m, err := models.NewMLP(models.MLPConfig{HiddenDim: 4})
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range []func() (*weights.Dict, error){func() (*weights.Dict, error) { return models.Weights(u) }, func() (*weights.Dict, error) { return models.Weights(m) }} {
		w, err := d()
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range anchors[i] {
			if w.Get(name) == nil {
				t.Errorf("the network has no %s", name)
			}
		}
		for name, x := range w.All() {
			if len(x.Shape) == 0 {
				t.Errorf("%s has no dimensions, and would be left out", name)
			}
		}
	}
}

// A run's state gives the weights of ckpt.pth, or those before averaging.
func TestStateAsCheckpoint(t *testing.T) {
	dir := t.TempDir()
	c := config(6)
	if _, err := planeRun(t, c, dir).Train(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	state, ckpt := filepath.Join(dir, StateFile), filepath.Join(dir, CheckpointFile)
	want, err := ReadCheckpoint(ckpt)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ReadState(state)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []struct {
		want Averaging
		part string
	}{{Best, partEMA}, {Averaged, partEMA}, {Raw, partModel}} {
		ck, err := ReadNetwork(state, p.want)
		if err != nil {
			t.Fatal(err)
		}
		if !ck.State || ck.Record.Training.Step != 6 {
			t.Errorf("%q: not known as a state", p.want)
		}
		if p.part == partEMA {
			sameDict(t, "averaged", ck.Tensors, want.Tensors)
		}
		for name, w := range ck.Tensors.All() {
			if !w.Equal(s.file.Tensors.Get(p.part + name)) {
				t.Errorf("%q: %s is another tensor", p.want, name)
			}
		}
		if ck.Tensors.Len() != want.Tensors.Len() || ck.Note("x") == "" {
			t.Errorf("%q: %d tensors, note %q", p.want, ck.Tensors.Len(), ck.Note("x"))
		}
	}
	var w *WeightsError
	if _, err := ReadNetwork(ckpt, Raw); !errors.As(err, &w) || !strings.Contains(err.Error(), StateFile) {
		t.Errorf("the raw weights of ckpt.pth: %v", err)
	}
	if want.Note("x") != "" {
		t.Errorf("a note on ckpt.pth: %s", want.Note("x"))
	}
}
