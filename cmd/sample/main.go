// Command sample draws samples of a trained model.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
	"flowmatch/datasets/npz"
	"flowmatch/flow"
	"flowmatch/models"
	"flowmatch/trainer"
)

func main() { cli.Main("sample", run) }

func run(ctx context.Context, env cli.Env) error {
	f := newFlags()
	if err := f.Read(env); err != nil {
		return err
	}
	solver, err := f.check()
	if err != nil {
		return err
	}
	t, err := f.open()
	if err != nil {
		return err
	}
	info := t.info
	plan, err := f.plan(t.classes, info)
	if err != nil {
		return err
	}
	dir := f.outputDir(info)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("the output folder cannot be made: %w", err)
	}
	device, err := f.OpenDevice()
	if err != nil {
		return err
	}
	model, err := t.build(device)
	if err != nil {
		return err
	}

	bar := terminal.New(env.Stderr, f.Quiet, "sampling", plan.n)
	shape := make([]int64, len(t.shape))
	for i, n := range t.shape {
		shape[i] = int64(n)
	}
	s := flow.Sampling{
		Model: precise{model, f.precision(), device}, Device: device, Solver: solver, Shape: shape,
		N: plan.n, Labels: plan.labels, Seed: f.Seed, X0: plan.x0, Batch: f.batch(t.perSample),
		Shown: plan.shown,
		Progress: func(done, of int) {
			bar.Set(done, of, "")
		},
	}
	if !f.noFigures {
		s.FrameTimes = flow.Times(f.frames)
	}
	start := time.Now()
	out, err := s.Draw(ctx)
	bar.Done()
	if err != nil {
		return err
	}
	took := time.Since(start)

	var written []string
	if f.npz != "" {
		err := writeFile(f.npz, func(w writer) error {
			return npz.WriteSamples(w, &npz.Samples{Shape: t.shape, X: out.X, Y: plan.labels, X0: out.X0})
		})
		if err != nil {
			return err
		}
		written = append(written, f.npz)
	}
	if f.format == "folder" {
		if err := writeFolder(filepath.Join(dir, "samples"), out.X, plan.labels, info); err != nil {
			return err
		}
		written = append(written, filepath.Join(dir, "samples"))
	}
	if !f.noFigures {
		var paths []string
		if info.Is2D() {
			paths, err = f.drawPoints(dir, out, info, s)
		} else {
			paths, err = f.draw(dir, out, plan, info)
		}
		if err != nil {
			return err
		}
		written = append(written, paths...)
	}
	if !f.Quiet {
		fmt.Fprintf(env.Stderr, "%s samples by %s in %d steps, NFE %d a sample%s, in %s (%.1f samples a second)\n",
			terminal.Count(int64(plan.n)), f.method, f.steps, out.NFE, forFrames(out.NFEFrames), terminal.Duration(took), float64(plan.n)/took.Seconds())
	}
	for _, p := range written {
		fmt.Fprintln(env.Stdout, p)
	}
	return nil
}

func forFrames(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d of them for the frames between steps)", n)
}

// precise evaluates a model in a precision.
type precise struct {
	model     models.Velocity
	precision string
	device    torch.Device
}

// Velocity: as models.UNet.
func (p precise) Velocity(x, t, y torch.Tensor) (v torch.Tensor) {
	if p.precision != "bf16" {
		return p.model.Velocity(x, t, y)
	}
	torch.Autocast(p.device, torch.BFloat16, func() { v = p.model.Velocity(x, t, y) })
	return v
}

// target is the model to sample.
type target struct {
	info      datasets.Info
	shape     []int // of a sample
	classes   int   // 0: none
	perSample int   // bytes of a layer's output
	build     func(torch.Device) (models.Velocity, error)
}

// open reads the checkpoint and settles what it is: by its record, or for a
// file without one by --dataset and the network's flags.
func (f *flags) open() (*target, error) {
	var info datasets.Info
	var err error
	if f.dataset != "" {
		if info, err = datasets.LookupWith(f.dataset, datasets.Options{DataDir: f.DataDir}); err != nil {
			return nil, err
		}
	}
	path := f.checkpoint
	if path == "" {
		path = filepath.Join(f.RunDir("cfm", info.Slug()), trainer.CheckpointFile)
		if _, err := os.Stat(path); os.IsNotExist(err) {
			return nil, fmt.Errorf("%s is not there: train --dataset %s makes it, or name a file with --checkpoint", path, info.Name)
		}
	}
	ck, err := trainer.ReadCheckpoint(path)
	if err != nil {
		return nil, err
	}
	if ck.Record == nil {
		if f.dataset == "" {
			return nil, cli.Usagef("%s has no record of its network: name the set that it was trained on with --dataset, and the network's flags where they are not the set's defaults", path)
		}
		if info.Is2D() {
			return points(ck, info, models.MLPConfig{HiddenDim: f.hiddenDim}.Defaults()), nil
		}
		network, err := f.network.Config(info, hasNullClass(ck, info))
		if err != nil {
			return nil, err
		}
		return images(ck, info, network), nil
	}
	if f.network.Changed() || f.Changed("hidden-dim") {
		return nil, cli.Usagef("%s says what its network is; the network's flags are for files without a record", path)
	}
	d := ck.Record.Dataset
	if f.dataset != "" && (info.Is2D() != (ck.Record.Kind == "mlp")) {
		return nil, cli.Usagef("%s is a network for %s, which does not fit --dataset %s", path, d.Name, info.Name)
	}
	if ck.Record.Kind == "mlp" {
		network, err := ck.Record.MLPConfig()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if f.dataset == "" {
			info = datasets.Info{Name: d.Name, Shape: [3]int{2, 1, 1}}
		}
		return points(ck, info, network), nil
	}
	network, err := ck.Record.UNetConfig()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if f.dataset == "" {
		if len(d.Shape) != 3 {
			return nil, fmt.Errorf("%s: the record gives the shape %v, not that of an image", path, d.Shape)
		}
		info = datasets.Info{Name: d.Name, Shape: [3]int(d.Shape), Levels: d.Levels, ClassNames: d.ClassNames}
	}
	if network.Channels != info.Shape[0] || network.Size != info.Shape[1] || network.NumClasses > 0 && network.NumClasses != info.Classes() {
		return nil, cli.Usagef("%s is a network for %s, which does not fit --dataset %s", path, d.Name, info.Name)
	}
	return images(ck, info, network), nil
}

func images(ck *trainer.Checkpoint, in datasets.Info, n models.UNetConfig) *target {
	return &target{
		info: in, shape: in.Shape[:], classes: n.NumClasses, perSample: 4 * n.Size * n.Size * n.NumChannels * n.ChannelMult[0],
		build: func(d torch.Device) (models.Velocity, error) { return ck.UNet(n, d) },
	}
}

func points(ck *trainer.Checkpoint, in datasets.Info, n models.MLPConfig) *target {
	return &target{
		info: in, shape: []int{n.Dim}, perSample: 4 * n.HiddenDim,
		build: func(d torch.Device) (models.Velocity, error) { return ck.MLP(n, d) },
	}
}

// hasNullClass tells whether a file's class embedding has a row more than the
// set has classes.
func hasNullClass(ck *trainer.Checkpoint, in datasets.Info) bool {
	w := ck.Tensors.Get("label_emb.weight")
	return w != nil && len(w.Shape) == 2 && w.Shape[0] == int64(in.Classes()+1)
}

// outputDir is beside the checkpoint, or where --output-dir says.
func (f *flags) outputDir(in datasets.Info) string {
	if f.checkpoint != "" && !f.Changed("output-dir") {
		return filepath.Dir(f.checkpoint)
	}
	return f.RunDir("cfm", in.Slug())
}
