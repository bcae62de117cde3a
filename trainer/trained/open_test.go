package trained

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/weights"

	"flowmatch/datasets"
	"flowmatch/models"
	"flowmatch/trainer"
	"flowmatch/trainer/pretrained"
	"flowmatch/trainer/recipe"
)

// What a record says of its network and of its set must go together.
func TestContradiction(t *testing.T) {
	points := models.MLPConfig{HiddenDim: 8}.Defaults()
	images := models.UNetConfig{Channels: 1, Size: 8, NumChannels: 32}.Defaults()
	for _, c := range []struct {
		network models.Config
		set     trainer.DatasetRecord
		ok      bool
	}{
		{points, trainer.DatasetRecord{Name: "moons", Shape: []int{2}}, true},
		{points, trainer.DatasetRecord{Name: "points-mine", Shape: []int{2}}, true},
		{images, trainer.DatasetRecord{Name: "digits", Shape: []int{1, 8, 8}}, true},
		{images, trainer.DatasetRecord{Name: "digits", Shape: []int{1, 28, 28}}, false},
		{points, trainer.DatasetRecord{Name: "digits", Shape: []int{1, 8, 8}}, false},
		{points, trainer.DatasetRecord{Name: "digits", Shape: []int{2}}, false},
		{models.MLPConfig{Dim: 3}.Defaults(), trainer.DatasetRecord{Name: "points-mine", Shape: []int{3}}, false},
	} {
		if err := contradiction(c.network, c.set); (err == nil) != c.ok {
			t.Errorf("%+v of %+v: %v", c.network, c.set, err)
		}
	}
}

// A model of another set than the one asked for is told; a folder's name is the user's.
func TestOtherSet(t *testing.T) {
	of := func(record, asked string) *Model {
		m := &Model{Checkpoint: &trainer.Checkpoint{}, Info: datasets.Info{Name: asked}}
		if record != "" {
			m.Checkpoint.Record = &trainer.Record{Dataset: trainer.DatasetRecord{Name: record}}
		}
		return m
	}
	for _, c := range []struct{ record, asked, want string }{
		{"mnist", "mnist", ""}, {"mnist", "fashion_mnist", "mnist"}, {"", "mnist", ""}, {"folder-a", "folder:b", ""}, {"points-ring", "points:ring.csv", ""},
		{"My Set", "My Set", ""}, // a name that is no folder's
	} {
		if got := of(c.record, c.asked).OtherSet(); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// digits is a model of digits that is part of the program.
func digits(t *testing.T) *trainer.Checkpoint {
	t.Helper()
	ck, err := pretrained.Open("digits", false)
	if err != nil {
		t.Fatal(err)
	}
	return ck
}

func info(t *testing.T, name string) datasets.Info {
	t.Helper()
	in, err := datasets.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// The record says what the model is, and the options as what it is opened.
func TestOf(t *testing.T) {
	own := info(t, "digits")
	for name, c := range map[string]struct {
		set  datasets.Info
		want datasets.Info // the zero Info: it does not fit
	}{
		"by its record":     {datasets.Info{}, own},
		"as digits":         {own, own},
		"as mnist":          {info(t, "mnist"), datasets.Info{}},
		"as points":         {info(t, "moons"), datasets.Info{}},
		"as another folder": {datasets.Info{Name: "folder:a"}, datasets.Info{Name: "folder:a", Shape: own.Shape, Levels: 17, ClassNames: own.ClassNames}},
	} {
		m, err := Of(digits(t), Options{Set: c.set})
		if c.want.Name == "" {
			var misfit *MisfitError
			if !errors.As(err, &misfit) || misfit.Of != "digits" || misfit.Set != c.set.Name {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(m.Info, c.want) || m.Classes != 10 || !slices.Equal(m.Shape, []int{1, 8, 8}) || !slices.Equal(m.Dims(), []int64{1, 8, 8}) {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
	points, err := pretrained.Open("checkerboard", true)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Of(points, Options{})
	if err != nil || m.Info.Name != "checkerboard" || !m.Info.Is2D() || m.Classes != 0 || m.Null() != -1 || m.Distilled() || m.OtherSet() != "" {
		t.Errorf("%+v, %v", m, err)
	}
	var misfit *MisfitError
	if _, err := Of(points, Options{Set: datasets.Info{Name: "folder:a"}}); !errors.As(err, &misfit) {
		t.Errorf("points of a folder: %v", err)
	}
}

// A file without a record is of the set's usual network, or of the one that is named.
func TestForeign(t *testing.T) {
	in := info(t, "digits")
	of := func(network models.Config) *trainer.Checkpoint {
		var dict *weights.Dict
		if err := torch.Try(func() {
			net, err := network.Build()
			if err != nil {
				t.Fatal(err)
			}
			if dict, err = models.Weights(net); err != nil {
				t.Fatal(err)
			}
		}); err != nil {
			t.Fatal(err)
		}
		return &trainer.Checkpoint{Path: "theirs.pth", Tensors: dict}
	}
	usual := recipe.For(in).Network
	var none *NoRecordError
	if _, err := Of(of(usual), Options{}); !errors.As(err, &none) {
		t.Errorf("a file that nothing is known of: %v", err)
	}
	for _, network := range []models.Config{usual, usual.WithClasses(10, true)} {
		m, err := Of(of(network), Options{Set: in})
		if err != nil || !reflect.DeepEqual(m.Config, network) || m.NullClass != network.HasNullClass() {
			t.Errorf("%+v, %v, want %+v", m.Config, err, network)
			continue
		}
		if _, err := m.Velocity(torch.CPU); err != nil {
			t.Error(err)
		}
	}
	named := models.UNetConfig{Channels: 1, Size: 8, NumChannels: 32, ChannelMult: []int{1}, NumResBlocks: 1, NumClasses: 10}.Defaults()
	m, err := Of(of(named), Options{Set: in, Network: func(kind string, null bool) (models.Config, error) {
		if kind != "unet" || null {
			t.Errorf("a %s with a null class: %v", kind, null)
		}
		return named, nil
	}})
	if err != nil || !reflect.DeepEqual(m.Config, models.Config(named)) {
		t.Errorf("%+v, %v", m, err)
	}
	if m, err := Of(of(models.MLPConfig{}), Options{Set: info(t, "moons")}); err != nil || m.Config.Kind() != "mlp" {
		t.Errorf("%+v, %v", m, err)
	}
}

// A run's checkpoint is opened as what it was trained on.
func TestOpen(t *testing.T) {
	set, err := datasets.OpenSet(context.Background(), "rings", datasets.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	folder, err := trainer.OpenFolder(dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	net, err := models.MLPConfig{HiddenDim: 8}.Build()
	if err != nil {
		t.Fatal(err)
	}
	run := trainer.Run{Network: net, Open: trainer.Data(set), Dataset: trainer.Describe(set.Describe()), Folder: folder, Config: trainer.Config{Iterations: 2, BatchSize: 4, EMADecay: 0.9}}
	if _, err := run.Train(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	m, err := Open(filepath.Join(dir, trainer.StateFile), Options{Weights: trainer.Raw})
	if err != nil || m.Info.Name != "rings" || !m.Info.Is2D() || m.Checkpoint.Choice.Prefix != "model." {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := Open(filepath.Join(dir, trainer.CheckpointFile), Options{Weights: trainer.Raw}); err == nil {
		t.Error("the averaged weights alone were opened as those before averaging")
	}
	if _, err := Open(filepath.Join(dir, "none.pth"), Options{}); err == nil {
		t.Error("no file was opened")
	}
}
