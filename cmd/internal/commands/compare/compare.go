// Package compare is the command that shows a model beside the one that reflow made of it: of
// points the film of both, and how good the samples and the likelihood are
// against the number of evaluations; of images samples in few steps.
package compare

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/atomicfile"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/figures"
	"flowmatch/cmd/internal/kinds"
	"flowmatch/cmd/internal/modelfile"
	"flowmatch/flow"
	"flowmatch/trainer/trained"
)

func (f *flags) run(ctx context.Context, env cli.Env) error {
	req, err := f.check()
	if err != nil {
		return err
	}
	c := &comparison{flags: f, request: req, env: env}
	if c.models[0], err = f.model.Open("cfm"); err != nil {
		return err
	}
	if c.models[1], err = f.model.OpenBeside(c.models[0], "reflow", "reflow-checkpoint", f.reflowCheckpoint); err != nil {
		return err
	}
	for _, m := range c.models {
		if m.Distilled() {
			return cli.Usagef("%s is distilled to one step: it has no paths to compare; evaluate measures it", m.Checkpoint.Path)
		}
	}
	info := c.models[0].Info
	if err := f.cmd.Refuse(info, "is "+kinds.Of(info).What+", of which compare draws samples", notFor.Of(info)...); err != nil {
		return err
	}
	c.names = namesOf(c.models)
	if f.model.Weights == "" && (f.model.Pretrained == "" || f.reflowCheckpoint != "") { // the program's own are rounded, after reflow
		c.taught = taught(c.models[0], c.models[1])
	}
	c.dir = filepath.Join(f.cmd.OutputDir, "comparisons")
	if f.model.Pretrained != "" { // as all that is drawn of the program's own models
		c.dir = f.model.Dir(info)
	}
	if err := atomicfile.OutputFolder(c.dir); err != nil {
		return fmt.Errorf("the output folder cannot be made: %w", err)
	}
	if c.device, err = f.cmd.OpenDevice(); err != nil {
		return err
	}
	var files []string
	for _, ending := range pictures.Of(info) {
		files = append(files, c.path(ending))
	}
	c.begin()
	before, err := figures.SetAside(files...)
	if err != nil {
		return err
	}
	err = draw.Of(info)(c, ctx)
	if note := figures.KeptNote(before.Settle()); note != "" {
		c.cmd.Say("%s", note)
	}
	return errors.Join(c.end(), err)
}

// draw draws and measures the two models, and pictures are the endings of what it draws.
var (
	draw     = kinds.Each[func(*comparison, context.Context) error]{Points: (*comparison).points, Images: (*comparison).images}
	pictures = kinds.Each[[]string]{Points: []string{".gif", "_paths.png", "_quality.png"}, Images: []string{".png"}}
)

// comparison is of two models.
type comparison struct {
	*flags
	*request
	env    cli.Env
	dir    string
	models [2]*trained.Model
	names  [2]string // of the models, as they are shown
	taught *bool     // the second comes of the first; nil: nobody can tell
	device torch.Device
	files  []cli.Written // that were written whole
}

// set names the set in pictures, and says so where the first model is the program's own.
func (c *comparison) set() string {
	if c.model.Pretrained != "" {
		return "pretrained " + c.models[0].Info.Slug()
	}
	return c.models[0].Info.Slug()
}

// path is of a file for the set.
func (c *comparison) path(ending string) string {
	return filepath.Join(c.dir, "cfm_reflow_"+c.models[0].Info.Slug()+ending)
}

// batch is how many points both models solve together.
func (c *comparison) batch() int {
	return min(figures.Batch(c.models[0].Config, c.device), figures.Batch(c.models[1].Config, c.device))
}

// points draws the film and measures both models.
func (c *comparison) points(ctx context.Context) error {
	var built [2]flow.Velocity
	for k, m := range c.models {
		v, err := m.Sampler(c.device, c.cmd.Precision)
		if err != nil {
			return err
		}
		built[k] = v
	}
	set, err := modelfile.Open2D(c.models[0], c.cmd.Say)
	if err != nil {
		return err
	}
	if set.Frame != nil {
		c.cmd.Note("distances and likelihoods are of the points %s, as the flows take them", set.Frame)
	}
	film := figures.Pair{
		Path: c.path(".gif"), Paths: c.path("_paths.png"), Of: set,
		Name:  figures.Title(c.set(), figures.SolverName(c.solver), figures.SeedName(c.cmd.Seed)),
		Names: c.names, Velocities: built, Device: c.device, Batch: c.batch(), Solver: c.solver,
		Samples: c.figures.Samples, Grid: c.grid, Frames: c.frames, FPS: c.fps, Seed: c.cmd.Seed,
		Stderr: c.env.Stderr, Quiet: c.cmd.Quiet,
	}
	if err := film.Film(ctx); err != nil {
		return err
	}
	q := quality{
		set: set, names: c.names, velocities: built, device: c.device, batch: c.batch(), solvers: c.solvers, n: c.qualitySamples, seed: c.cmd.Seed,
		stderr: c.env.Stderr, quiet: c.cmd.Quiet,
	}
	r, err := q.measure(ctx)
	if err != nil {
		return err
	}
	r.title, r.Models[1].Taught = c.set(), c.taught
	r.Film, r.Paths, r.Figure = film.Path, film.Paths, c.path("_quality.png")
	for k, m := range c.models {
		r.Models[k].Checkpoint = m.Checkpoint.Path
	}
	if err := figures.WritePNG(r.Figure, r.draw()); err != nil {
		return err
	}
	print := r.table
	if c.cmd.JSON {
		print = r.json
	}
	if err := print(c.env.Stdout); err != nil {
		return err
	}
	c.files = []cli.Written{
		{Path: r.Paths, What: "paths from noise to samples"},
		{Path: r.Film, What: "the film of the samples, with the velocities"},
		{Path: r.Figure, What: "how good the samples are, by evaluations"},
	}
	if bad := r.unsolved(); bad != nil {
		return errors.New(strings.Join(bad, "; "))
	}
	if bad := r.notFinite(); bad != nil {
		return fmt.Errorf("not a finite number: %s; the weights are damaged, or their training diverged", strings.Join(bad, ", "))
	}
	return nil
}

// pictured is what --json prints of images.
type pictured struct {
	Dataset string    `json:"dataset"`
	Models  []results `json:"models"`
	Figure  string    `json:"figure"`
}

// images draws samples of both in few steps, and by the solver asked for.
func (c *comparison) images(ctx context.Context) error {
	var rows []figures.Row
	for k, m := range c.models {
		for _, steps := range []int{1, 2, 4} {
			rows = append(rows, figures.Euler(c.names[k], m, steps))
		}
		rows = append(rows, figures.Row{Name: c.names[k] + ", " + c.solver.String(), Of: m, Solver: c.solver})
	}
	path := c.path(".png")
	if err := figures.FewSteps(ctx, path, c.set(), c.device, c.cmd.Seed, rows); err != nil {
		return err
	}
	if c.cmd.JSON {
		out := pictured{Dataset: c.models[0].Info.Name, Figure: path}
		for k, m := range c.models {
			out.Models = append(out.Models, results{Name: c.names[k], Checkpoint: m.Checkpoint.Path})
		}
		out.Models[1].Taught = c.taught
		return cli.WriteJSON(c.env.Stdout, out)
	}
	c.files = []cli.Written{{Path: path, What: "samples of both in few steps"}}
	return nil
}

// end tells what was written, and what comes next, for people.
func (c *comparison) end() error {
	if c.cmd.JSON || c.files == nil {
		return nil
	}
	if err := c.cmd.PrintWritten(c.env.Stdout, c.files); err != nil {
		return err
	}
	if name := c.model.Pretrained; name != "" {
		c.cmd.Next("bin/train", "--preset", name)
	} else {
		c.cmd.Next("bin/sample", "--checkpoint", c.models[1].Checkpoint.Path, "--method", "euler", "--steps", "2")
	}
	return nil
}
