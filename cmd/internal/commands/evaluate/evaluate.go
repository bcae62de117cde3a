package evaluate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/classifiers"
	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/kinds"
	"flowmatch/cmd/internal/modelfile"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
	"flowmatch/flow"
)

func (f *flags) run(ctx context.Context, env cli.Env) error {
	req, err := f.check()
	if err != nil {
		return err
	}
	file, err := f.model.Open("cfm")
	if err != nil {
		return err
	}
	e := &evaluation{f: f, file: file, info: file.Info, solvers: req.solvers, stderr: env.Stderr}
	e.out = &report{Dataset: e.info.Name, Checkpoint: file.Checkpoint.Path, counts: map[string]int{}}
	if f.download && !datasets.Downloadable(e.info.Name) {
		return cli.Usagef("--download: %s has nothing to fetch", e.info.Name)
	}
	if e.chosen, err = req.measures.choose(e.info, file.Classes); err != nil {
		return err
	}
	for _, note := range req.measures.leftOut(e.info, file.Classes) {
		e.f.cmd.Note("%s", note)
	}
	if file.Distilled() {
		if err := e.oneStep(req); err != nil {
			return err
		}
	}
	if err := f.unused(e.chosen, kinds.Of(e.info).Paths); err != nil {
		return err
	}
	if e.guidance, err = f.guidance.Of(file); err != nil {
		return err
	}
	if e.guidance != nil {
		e.out.guide(e.guidance)
	}
	measure, err := open.Of(e.info)(e, ctx, req)
	if err != nil {
		return err
	}
	if e.device, err = f.cmd.OpenDevice(); err != nil {
		return err
	}
	if err := e.build(); err != nil {
		return err
	}
	err = measure()
	for _, w := range torch.TakeWarnings() {
		e.f.cmd.Note("libtorch: %s", w)
	}
	if err != nil {
		return err
	}
	print := e.out.table
	if f.cmd.JSON {
		print = e.out.json
	}
	if err := print(env.Stdout); err != nil {
		return err
	}
	if bad := e.out.unsolved; bad != nil {
		return errors.New(strings.Join(bad, "; "))
	}
	if bad := e.out.notFinite; bad != nil {
		return fmt.Errorf("not a finite number: %s; the weights are damaged, or their training diverged", strings.Join(bad, ", "))
	}
	if failed := failures(req.require, e.out); failed != "" {
		return &cli.CheckError{Msg: failed}
	}
	if !f.cmd.JSON {
		f.cmd.Next(e.next()...)
	}
	return nil
}

// next is the command that comes next: a model of the user's own, straighter paths, or what
// they are good for.
func (e *evaluation) next() []string {
	record := e.file.Checkpoint.Record
	switch {
	case e.f.model.Pretrained != "":
		return []string{"bin/train", "--preset", e.f.model.Pretrained}
	case e.file.Distilled():
		return e.f.model.Again("bin/sample")
	case record != nil && record.Training.Configuration.Reflow != nil:
		return append(e.f.model.Again("bin/sample"), "--method", "euler", "--steps", "2")
	}
	again := e.f.model.Again("bin/reflow")
	if e.info.Is2D() { // fresh pairs, as the reference has them, take a quarter of an hour
		again = append(again, "--pairs", "100000")
	}
	return again
}

// build makes the network, in float32 for what is measured of itself.
func (e *evaluation) build() error {
	if e.device.IsCUDA() {
		torch.AllowTF32(false) // nor in the gradients of likelihoods
	}
	var err error
	e.velocity, err = e.file.Sampler(e.device, "fp32")
	e.samplers = map[string]flow.Velocity{"fp32": e.velocity}
	return err
}

// oneStep leaves out what says nothing of a model that knows t = 0 alone.
func (e *evaluation) oneStep(req *request) error {
	for _, name := range []string{"straightness", "nll", "nll_exact", "bits_per_dim"} {
		if e.chosen[name] && e.f.cmd.Changed("measures") && e.f.measures != "all" {
			return cli.Usagef("--measures %s: %s is distilled to one step, and has no velocity but at t = 0", name, e.file.Checkpoint.Path)
		}
		delete(e.chosen, name)
		for _, r := range req.require {
			if strings.TrimSuffix(r.key, "_stderr") == name {
				return cli.Usagef("--require %s: %s is distilled to one step, and has no velocity but at t = 0", r, e.file.Checkpoint.Path)
			}
		}
	}
	e.f.cmd.Note("the model is distilled to one step: what needs its velocity after t = 0 is left out")
	if !e.f.cmd.Changed("solvers") {
		var err error
		if e.solvers, err = e.f.tolerances.List("--solvers", "euler:1"); err != nil {
			return err
		}
	}
	return nil
}

// open opens what the model is compared with, checks the requirements, and returns what
// measures.
var open = kinds.Each[func(e *evaluation, ctx context.Context, req *request) (func() error, error)]{
	Points: (*evaluation).openPoints,
	Images: (*evaluation).openImages,
}

func (e *evaluation) openPoints(ctx context.Context, req *request) (func() error, error) {
	set, err := modelfile.Open2D(e.file, e.f.cmd.Say)
	if err != nil {
		return nil, err
	}
	if set.Frame != nil {
		e.f.cmd.Note("distances and likelihoods are of the points %s, as the flow takes them", set.Frame)
	}
	_, known := set.Entropy()
	return func() error { return e.points(ctx, set) }, checkChosen(req.require, e.chosen, e.info, 0, known)
}

func (e *evaluation) openImages(ctx context.Context, req *request) (func() error, error) {
	if err := checkChosen(req.require, e.chosen, e.info, e.file.Classes, false); err != nil {
		return nil, err
	}
	sets := &classifiers.Sets{}
	judged := e.judges()
	if judged || e.chosen["bits_per_dim"] {
		var err error
		if sets, err = e.readImages(ctx, judged); err != nil {
			return nil, err
		}
		if err := e.fewImages(req, sets.Test); err != nil {
			return nil, err
		}
	}
	return func() error { return e.images(ctx, sets) }, nil
}

// readImages reads the set's test images, and with fit those to train a
// classifier on.
func (e *evaluation) readImages(ctx context.Context, fit bool) (*classifiers.Sets, error) {
	if err := modelfile.CheckFound(e.file); err != nil {
		return nil, err
	}
	opts := e.f.model.DataOptions().Again(e.info)
	if e.f.download && datasets.Missing(e.info.Name, e.f.cmd.DataDir) {
		if err := cli.Fetch(ctx, e.info.Name, e.f.cmd.DataDir, e.stderr, e.f.cmd.Quiet); err != nil {
			return nil, err
		}
	}
	bar := terminal.New(e.stderr, e.f.cmd.Quiet, "reading "+e.info.Name, 1)
	opts.Progress = func(done, total int) { bar.Set(done, total, "") }
	sets, err := classifiers.Open(ctx, e.info.Name, opts, fit)
	bar.Done()
	if err != nil {
		return nil, err
	}
	in := sets.Test.Info
	if !slices.Equal(in.Shape, e.info.Shape) || e.file.Classes > 0 && in.Classes() != e.file.Classes {
		return nil, cli.Usagef("%s is a model of %v in %s, and %s has %v in %d", e.file.Checkpoint.Path, e.info.Shape, terminal.Counted(e.file.Classes, "class"), in.Name, in.Shape, in.Classes())
	}
	for _, im := range []*datasets.Images{sets.Fit, sets.Test} {
		if r := e.file.Checkpoint.Record; im != nil && r != nil {
			im.Reclass(r.Dataset.ClassNames)
		}
	}
	if part := sets.Trained(); part != nil {
		modelfile.CompareData(e.file, part, e.f.cmd.Say)
	}
	said := map[string]bool{} // both parts may have the same to say
	for _, im := range []*datasets.Images{sets.Fit, sets.Test} {
		if im == nil {
			continue
		}
		for _, w := range im.Warnings {
			if !said[w] {
				e.f.cmd.Note("%s", w)
			}
			said[w] = true
		}
	}
	return sets, nil
}
