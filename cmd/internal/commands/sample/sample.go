// Package sample is the command that draws samples of a trained model.
package sample

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/wangkuiyi/gotorch/atomicfile"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/figures"
	"flowmatch/cmd/internal/kinds"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets/npz"
	"flowmatch/flow"
	"flowmatch/trainer"
	"flowmatch/trainer/pretrained"
)

func (f *flags) run(ctx context.Context, env cli.Env) error {
	solver, err := f.check()
	if err != nil {
		return err
	}
	t, err := f.model.Open("cfm")
	if err != nil {
		return err
	}
	info := t.Info
	if t.Distilled() {
		if solver, err = f.oneStep(solver); err != nil {
			return err
		}
	}
	if other := t.OtherSet(); other != "" {
		f.cmd.Note("%s was trained on %s, not on %s", t.Checkpoint.Path, other, info.Name)
	}
	kind := kinds.Of(info)
	if f.format == "folder" && !kind.Pictures {
		return cli.Usagef("--format folder writes a picture of each sample, and these are points: --npz writes them")
	}
	plan, err := f.plan(t.Classes, info)
	if err != nil {
		return err
	}
	guidance, err := f.guidance.Of(t)
	if err != nil {
		return err
	}
	if err := f.npzCanBeWritten(); err != nil {
		return err
	}
	dir := f.model.Dir(info)
	if f.format == "folder" {
		if err := f.checkFolder(filepath.Join(dir, "samples")); err != nil {
			return err
		}
	}
	if err := atomicfile.OutputFolder(dir); err != nil {
		return fmt.Errorf("the output folder cannot be made: %w", err)
	}
	device, err := f.cmd.OpenDevice()
	if err != nil {
		return err
	}
	_, adaptive := solver.(flow.Adaptive)
	velocity, precision, err := f.model.Sampler(t, device, adaptive)
	if err != nil {
		return err
	}

	if plan.mapping != "" {
		f.cmd.Say("classes: %s", plan.mapping)
	}
	bar := terminal.New(env.Stderr, f.cmd.Quiet, "sampling", plan.n)
	batch := f.batchSize
	if batch == 0 {
		batch = t.Batch(device)
	}
	s := flow.Sampling{
		Velocity: velocity, Device: device, Solver: solver, Shape: t.Dims(),
		N: plan.n, Labels: plan.labels, Seed: f.cmd.Seed, X0: plan.x0, Batch: batch, Guidance: guidance,
		Shown: plan.shown,
		Progress: func(done, of int) {
			bar.Set(done, of, "")
		},
	}
	if !f.noFigures {
		s.FrameTimes = kind.FilmTimes(f.frames)
	}
	start := time.Now()
	out, err := s.Draw(ctx)
	bar.Done()
	if err != nil {
		return err
	}
	took := time.Since(start)
	if err := f.finite(out.X, solver); err != nil {
		return err
	}

	var written []cli.Written
	if f.npz != "" {
		err := atomicfile.Write(f.npz, func(w io.Writer) error { // also into a pipe
			return npz.WriteSamples(w, &npz.Samples{Shape: t.Shape, X: info.Frame.Back(out.X), Y: plan.labels, X0: out.X0})
		})
		if err != nil {
			return fmt.Errorf("%s was not written: %w", f.npz, err)
		}
		written = append(written, cli.Written{Path: f.npz, What: "samples x, their classes y, noise x0"})
	}
	if f.format == "folder" {
		folder := filepath.Join(dir, "samples")
		others, err := emptyFolder(folder)
		if err != nil {
			return err
		}
		if others > 0 {
			f.cmd.Note("%s holds %s that sample did not write; no other than its own are removed", folder, terminal.Counted(others, "file"))
		}
		if err := writeFolder(ctx, folder, out.X, plan.labels, info); err != nil {
			return err
		}
		written = append(written, cli.Written{Path: folder, Folder: true, What: "a picture of each sample"})
	}
	if !f.noFigures {
		before, err := figures.SetAside(pictures(dir))
		if err != nil {
			return err
		}
		paths, err := draw.Of(info)(f, ctx, dir, out, plan, info, s)
		if note := figures.KeptNote(before.Settle()); note != "" {
			f.cmd.Say("%s", note)
		}
		if err != nil {
			return err
		}
		for k, what := range []string{"the samples", "the film of how noise becomes them"} {
			written = append(written, cli.Written{Path: paths[k], What: what})
		}
	}
	f.cmd.Say("%s in %s, %s a second, by %s: NFE %d (evaluations of the network for each%s)",
		terminal.Counted(plan.n, "sample"), terminal.Duration(took), terminal.Rate(float64(plan.n)/took.Seconds()), solver, out.NFE, forFrames(out.NFEFrames))
	if f.cmd.JSON {
		return cli.WriteJSON(f.results(env), drawn{
			Files: cli.Paths(written), Checkpoint: t.Checkpoint.Path, Dataset: info.Name, Samples: plan.n, Solver: solver.String(),
			NFE: out.NFE, NFEFrames: out.NFEFrames, Seconds: took.Seconds(), Device: device.String(), Precision: precision,
		})
	}
	if err := f.cmd.PrintWritten(f.results(env), written); err != nil {
		return err
	}
	f.cmd.Next(f.next()...)
	return nil
}

// next is the command that comes next: a model of the user's own, or how good this one is.
func (f *flags) next() []string {
	switch {
	case slices.Contains(pretrained.Names(true), f.model.Pretrained):
		return []string{"bin/compare", "--pretrained", f.model.Pretrained}
	case f.model.Pretrained != "":
		return []string{"bin/train", "--preset", f.model.Pretrained}
	}
	return f.model.Again("bin/evaluate")
}

// drawn is what --json prints.
type drawn struct {
	Files      []string `json:"files"`
	Checkpoint string   `json:"checkpoint"`
	Dataset    string   `json:"dataset"`
	Samples    int      `json:"samples"`
	Solver     string   `json:"solver"`
	NFE        int      `json:"nfe"`        // of a sample
	NFEFrames  int      `json:"nfe_frames"` // of them, for the film's frames between steps
	Seconds    float64  `json:"seconds"`
	Device     string   `json:"device"`
	Precision  string   `json:"precision"`
}

// oneStep is the solver for a model that has learnt its velocity at t = 0 alone.
func (f *flags) oneStep(asked flow.Solver) (flow.Solver, error) {
	one, err := flow.NewSolver(flow.SolverConfig{Method: "euler", Steps: 1})
	if err != nil {
		return nil, err
	}
	if f.cmd.Changed("method") || f.cmd.Changed("steps") {
		if asked.String() != one.String() {
			f.cmd.Note("the model is distilled to one step, --method euler --steps 1; it has learnt nothing of other times than 0")
		}
		return asked, nil
	}
	f.cmd.Note("the model is distilled to one step: --method euler --steps 1")
	return one, nil
}

// npzCanBeWritten finds out before the sampling whether --npz names a place for a
// file.
func (f *flags) npzCanBeWritten() error {
	if f.npz == "" {
		return nil
	}
	if in, err := os.Stat(f.npz); err == nil && in.IsDir() {
		return cli.Usagef("--npz %s is a folder; name a file", f.npz)
	}
	if trainer.IsWeightFile(f.npz) {
		return cli.Usagef("--npz %s: the ending is that of weights, which samples must not replace; name another file", f.npz)
	}
	if err := atomicfile.Check(f.npz); err != nil {
		return fmt.Errorf("--npz %s cannot be written: %w", f.npz, err)
	}
	return nil
}

// results is where it is said what was written: not in a standard output that has the
// samples already.
func (f *flags) results(env cli.Env) io.Writer {
	if out, err := os.Stdout.Stat(); err == nil && f.npz != "" {
		if in, err := os.Stat(f.npz); err == nil && os.SameFile(in, out) {
			return env.Stderr
		}
	}
	return env.Stdout
}

// finite refuses samples that are no numbers: of a solver that ran away, or of
// damaged weights.
func (f *flags) finite(x []float32, by flow.Solver) error {
	if flow.Finite(x) {
		return nil
	}
	how, advice := by.String(), "more steps"
	if f.guidance.Scale != 1 {
		how, advice = fmt.Sprintf("%s with --guidance %v", how, f.guidance.Scale), "more steps or less --guidance"
	}
	return fmt.Errorf("samples by %s are not finite, and nothing is written: try %s; or the weights are damaged", how, advice)
}

func forFrames(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d of them for the film's frames", n)
}
