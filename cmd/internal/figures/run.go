package figures

import (
	"context"
	"fmt"
	"path/filepath"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/kinds"
	"flowmatch/datasets"
	"flowmatch/datasets/plane"
	"flowmatch/models"
	"flowmatch/trainer"
)

// Run is a finished training in a folder.
type Run struct {
	Dir       string // with its checkpoint
	Info      datasets.Info
	Network   models.Config
	Device    torch.Device
	Losses    []float32
	OneStep   bool // distilled, see Plane
	Reference bool // trained by --recipe reference
}

// Draw draws losses.png, and for points those of [Plane] from the checkpoint in
// the folder. It gives the paths of what was written: none with --no-figures.
func (f *Flags) Draw(ctx context.Context, env cli.Env, r Run) ([]string, error) {
	if f.Off {
		return nil, nil
	}
	paths := []string{filepath.Join(r.Dir, "losses.png")}
	if err := Losses(paths[0], Title(r.Info.Slug()+": training", r.Network.Kind(), SeedName(f.cmd.Seed)), r.Losses); err != nil {
		return nil, err
	}
	more, err := besides.Of(r.Info)(f, ctx, env, r)
	return append(paths, more...), err
}

// besides are the pictures of a training besides losses.png.
var besides = kinds.Each[func(*Flags, context.Context, cli.Env, Run) ([]string, error)]{
	Points: (*Flags).plane,
	Images: func(*Flags, context.Context, cli.Env, Run) ([]string, error) { return nil, nil },
}

// plane draws what Plane does, of the checkpoint in the run's folder.
func (f *Flags) plane(ctx context.Context, env cli.Env, r Run) ([]string, error) {
	ck, err := trainer.ReadCheckpoint(filepath.Join(r.Dir, trainer.CheckpointFile))
	if err != nil {
		return nil, err
	}
	velocity, err := ck.Sampler(r.Network, r.Device, "fp32")
	if err != nil {
		return nil, err
	}
	p := Plane{
		Dir: r.Dir, Set: r.Info.Slug(), Velocity: velocity, Device: r.Device, Batch: Batch(r.Network, r.Device),
		Samples: f.Samples, Seed: f.cmd.Seed, Reference: r.Reference, OneStep: r.OneStep, Stderr: env.Stderr, Quiet: f.cmd.Quiet,
	}
	if p.Of, err = plane.OpenIn(r.Info.Name, r.Info.Frame); err != nil {
		// A file of the user's own may be gone: the samples tell the range.
		p.Of = nil
	}
	var more []string
	torch.FullPrecision(func() { more, err = p.Draw(ctx) }) // densities are not for TF32; a next round may be
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("stopped while pictures were drawn; %s is saved, and the same command with --resume draws them: %w", ck.Path, err)
	}
	return more, err
}
