package modelfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
	"flowmatch/flow"
	"flowmatch/models"
	"flowmatch/trainer"
	"flowmatch/trainer/pretrained"
	"flowmatch/trainer/trained"
)

// Open reads the checkpoint and settles what it is: by its record, or for a
// file without one by --dataset and the network's flags. Without --checkpoint
// it is OUTPUT-DIR/<kind>/SET/ckpt.pth.
func (f *Flags) Open(kind string) (*trained.Model, error) {
	if f.Pretrained != "" {
		return f.openPretrained(kind, "checkpoint")
	}
	var info datasets.Info
	var err error
	switch {
	case datasets.TraitsOf(f.Dataset).Sized: // of whose pictures the checkpoint's record tells
		info.Name = f.Dataset
	case f.Dataset != "":
		if info, err = datasets.LookupWith(f.Dataset, f.DataOptions()); err != nil {
			return nil, err
		}
	}
	if f.Dataset != "" && f.network != nil {
		if err := f.network.CheckFor(info); err != nil {
			return nil, err
		}
	}
	path, err := f.find(kind, "checkpoint", f.Checkpoint, info)
	if err != nil {
		return nil, err
	}
	return f.read(path, info)
}

// openPretrained reads a model that is part of the program. flag is the one that names a
// file instead.
func (f *Flags) openPretrained(kind, flag string) (*trained.Model, error) {
	rectified := kind != "cfm"
	if have := pretrained.Names(true); rectified && !slices.Contains(have, f.Pretrained) {
		own := filepath.Join(f.cmd.RunDir("reflow", f.Pretrained), trainer.CheckpointFile)
		return nil, cli.Usagef("--pretrained %s: the program has no rectified model of it, only of %s; reflow --pretrained %s makes one, which is named with --%s %s",
			f.Pretrained, strings.Join(have, ", "), f.Pretrained, flag, own)
	}
	ck, err := pretrained.Open(f.Pretrained, rectified)
	if err != nil {
		return nil, err
	}
	return f.settle(ck, datasets.Info{})
}

// find is the named file, or where none is OUTPUT-DIR/<kind>/SET/ckpt.pth. flag
// is the one that names it.
func (f *Flags) find(kind, flag, named string, info datasets.Info) (string, error) {
	if named != "" {
		return named, nil
	}
	name := trainer.CheckpointFile
	if f.Weights == string(trainer.Raw) {
		name = trainer.StateFile // which has both
	}
	path := filepath.Join(f.cmd.RunDir(kind, info.Slug()), name)
	if _, err := os.Stat(path); os.IsNotExist(err) {
		maker := map[string]string{"cfm": "train", "reflow": "reflow", "distill": "reflow --distill"}[kind]
		if kind == "reflow" && info.Is2D() {
			maker = "reflow --pairs 100000" // without, a quarter of an hour
		}
		included := ""
		if kind == "cfm" && slices.Contains(pretrained.Names(false), info.Name) {
			included = fmt.Sprintf(", --pretrained %s takes the program's own", info.Name)
		}
		return "", fmt.Errorf("%s is not there: %s --dataset %s makes it%s, or name a file with --%s", path, maker, info.Name, included, flag)
	}
	return path, nil
}

// OpenBeside opens another model of the first one's set: the named file, or
// where none is OUTPUT-DIR/<kind>/SET/ckpt.pth. flag is the one that names it.
func (f *Flags) OpenBeside(first *trained.Model, kind, flag, named string) (*trained.Model, error) {
	m, path, err := f.second(first, kind, flag, named)
	if err != nil {
		return nil, err
	}
	if a, b := first.Checkpoint.Record, m.Checkpoint.Record; a != nil && b != nil && a.Dataset.Name != b.Dataset.Name {
		return nil, cli.Usagef("%s is a model of %s, %s of %s: they have nothing to be compared by", first.Checkpoint.Path, a.Dataset.Name, path, b.Dataset.Name)
	}
	if !first.Info.Frame.Equal(m.Info.Frame) {
		return nil, cli.Usagef("%s takes points %s, %s takes them %s: they have nothing to be compared by", first.Checkpoint.Path, first.Info.Frame, path, m.Info.Frame)
	}
	if !slices.Equal(first.Shape, m.Shape) || first.Classes != m.Classes {
		return nil, cli.Usagef("%s is a model of %v in %s, %s of %v in %d: they have nothing to be compared by", first.Checkpoint.Path, first.Shape, terminal.Counted(first.Classes, "class"), path, m.Shape, m.Classes)
	}
	return m, nil
}

// second reads the other model of OpenBeside.
func (f *Flags) second(first *trained.Model, kind, flag, named string) (*trained.Model, string, error) {
	if f.Pretrained != "" && named == "" {
		m, err := f.openPretrained(kind, flag)
		if err != nil {
			return nil, "", err
		}
		return m, m.Checkpoint.Path, nil
	}
	path, err := f.find(kind, flag, named, first.Info)
	if err != nil {
		return nil, "", err
	}
	own := *f
	own.Dataset = first.Info.Name
	own.describesFirst = first.Checkpoint.Record == nil
	m, err := own.read(path, first.Info)
	return m, path, err
}

// At opens a checkpoint that one of our own runs on the set wrote.
func (f *Flags) At(path string, info datasets.Info) (*trained.Model, error) {
	own := *f
	own.Dataset, own.network, own.Weights = info.Name, nil, ""
	return own.read(path, info)
}

func (f *Flags) read(path string, info datasets.Info) (*trained.Model, error) {
	ck, err := trainer.ReadNetwork(path, trainer.Averaging(f.Weights))
	if err != nil {
		return nil, err
	}
	m, err := f.settle(ck, info)
	if err != nil {
		return nil, err
	}
	if note := ck.Note("--weights raw"); note != "" {
		f.cmd.Note("%s", note)
	}
	return m, nil
}

// settle finds out what the checkpoint's network is.
func (f *Flags) settle(ck *trainer.Checkpoint, info datasets.Info) (*trained.Model, error) {
	switch {
	case ck.Record == nil && (f.Dataset == "" || f.network == nil):
		return nil, cli.Usagef("%s has no record of its network: name the set that it was trained on with --dataset, and the network's flags where they are not the set's defaults", ck.Path)
	case ck.Record == nil && info.Shape == nil: // a folder's
		var err error
		if info, err = datasets.LookupWith(f.Dataset, f.DataOptions()); err != nil {
			return nil, err
		}
	case ck.Record != nil && f.network != nil && !f.describesFirst && f.network.Changed():
		return nil, cli.Usagef("%s says what its network is; the network's flags are for files without a record", ck.Path)
	}
	if f.Dataset == "" {
		info = datasets.Info{}
	}
	m, err := trained.Of(ck, trained.Options{Set: info, Network: func(kind string, nullClass bool) (models.Config, error) {
		return f.network.ConfigOf(kind, info, nullClass)
	}})
	var misfit *trained.MisfitError
	switch {
	case errors.As(err, &misfit):
		return nil, cli.Usagef("%s is a network for %s, which does not fit --dataset %s", misfit.Path, misfit.Of, misfit.Set)
	case err != nil:
		return nil, err
	case f.cmd.Changed("image-size") && f.ImageSize != m.Shape[1]:
		return nil, cli.Usagef("--image-size %d: %s is a network for %d", f.ImageSize, ck.Path, m.Shape[1])
	}
	return m, nil
}

// Sampler is what m has learnt, for samples by a solver, adaptive or not, in what
// --precision says (trainer.SamplingPrecision), which it gives, too.
func (f *Flags) Sampler(m *trained.Model, d torch.Device, adaptive bool) (v flow.Velocity, precision string, err error) {
	precision, warning, err := trainer.SamplingPrecision(f.cmd.Precision, d, m.Config, adaptive)
	if err != nil {
		return nil, "", err
	}
	if warning != "" {
		f.cmd.Note("%s", warning)
	}
	v, err = m.Sampler(d, precision)
	return v, precision, err
}
