// Package reflow is the command that straightens the paths of a trained model: its student learns
// the straight lines between noise and the samples that the model makes of it
// (Liu et al. 2023, algorithm 1).
package reflow

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/kinds"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/cmd/internal/training"
	"flowmatch/datasets"
	"flowmatch/flow"
	"flowmatch/models"
	"flowmatch/trainer"
	"flowmatch/trainer/trained"
)

func (f *flags) run(ctx context.Context, env cli.Env) error {
	if f.settings.Preset == "help" {
		return f.settings.ListPresets(env.Stdout, f.cmd.JSON)
	}
	if err := f.settings.Apply(f.cmd.Flags()); err != nil {
		return err
	}
	solver, err := f.check()
	if err != nil {
		return err
	}
	teacher, err := f.openTeacher()
	if err != nil {
		return err
	}
	if other := teacher.OtherSet(); other != "" {
		return cli.Usagef("%s is a model of %s, not of %s: leave --dataset out", teacher.Checkpoint.Path, other, teacher.Info.Name)
	}
	if teacher.Distilled() {
		return cli.Usagef("%s is distilled to one step: it has no paths to straighten; give the model that train or reflow made", teacher.Checkpoint.Path)
	}
	r := &rounds{flags: f, session: training.Session{Stops: f.stops, Env: env, Pictures: f.pictures}, solver: solver, info: teacher.Info}
	if err := f.hyper.Check(teacher.Info); err != nil {
		return err
	}
	if r.guided, err = f.guidance.Of(teacher); err != nil {
		return err
	}
	if r.config, err = f.hyper.Config(teacher.Info, 0); err != nil {
		return err
	}
	kind := kinds.Of(teacher.Info)
	if err := f.cmd.Refuse(teacher.Info, "is "+kind.What, notFor.Of(teacher.Info)...); err != nil {
		return err
	}
	if !f.cmd.Changed("pairs") {
		f.pairs = kind.Pairs
	}
	if f.pairs > 0 && f.pairs < r.config.BatchSize {
		return cli.Usagef("--pairs %d: at least a batch, %d (--batch-size)", f.pairs, r.config.BatchSize)
	}
	dir := f.cmd.RunDir(f.kind(), teacher.Info.Slug())
	if err := f.guard(dir); err != nil {
		return err
	}
	if r.device, err = f.cmd.OpenDevice(); err != nil {
		return err
	}
	if f.settings.DryRun {
		return r.rehearse(ctx, dir, teacher)
	}
	err = f.stops.Checked(dir, r.device, func(s *training.Start) error {
		c := r.config
		return errors.Join(f.stops.Plan(s, &c, r.info), f.hyper.ChoosePrecision(&c, s, teacher.Config))
	})
	if err != nil {
		return err
	}
	if f.stops.Fresh {
		if err := f.freshen(dir, r.cmd.Say); err != nil {
			return err
		}
	}
	first, began := teacher, time.Now()
	var written []string
	for round := 1; round <= f.rounds; round++ {
		at := f.roundDir(dir, round)
		student, err := r.round(ctx, round, at, first, teacher)
		if err != nil {
			return err
		}
		files := training.Files(at)
		written = append(written, cli.Paths(files)...)
		print := func() error { return f.cmd.PrintWritten(env.Stdout, files) }
		if f.cmd.JSON {
			print = func() error {
				return cli.WriteJSON(env.Stdout, done{Type: "round", Round: round, Files: cli.Paths(files), Steps: len(r.losses)})
			}
		}
		if err := print(); err != nil {
			return err
		}
		teacher = student
	}
	if f.cmd.JSON {
		return cli.WriteJSON(env.Stdout, done{
			Type: "summary", Files: written, Teacher: first.Checkpoint.Path, Solver: solver.String(), Device: r.device.String(), Seconds: time.Since(began).Seconds(),
		})
	}
	next := []string{"bin/sample", "--checkpoint", filepath.Join(dir, trainer.CheckpointFile)}
	if !f.distill { // that takes one step anyway
		next = append(next, "--method", "euler", "--steps", "2")
	}
	f.cmd.Next(next...)
	return nil
}

// done is a line of --json.
type done struct {
	Type    string   `json:"type"` // round or summary
	Round   int      `json:"round,omitempty"`
	Files   []string `json:"files"` // the checkpoint first
	Steps   int      `json:"steps,omitempty"`
	Teacher string   `json:"teacher,omitempty"`
	Solver  string   `json:"solver,omitempty"` // of the teacher
	Device  string   `json:"device,omitempty"`
	Seconds float64  `json:"seconds,omitempty"`
}

// rounds is the work on one model after the other.
type rounds struct {
	*flags
	session training.Session
	solver  flow.Solver    // of the teacher
	guided  *flow.Guidance // of the first teacher: its student has learnt it
	info    datasets.Info
	device  torch.Device
	config  trainer.Config
	losses  []float32 // of the last round
}

// round trains a student of the teacher in a folder, and draws what it and the first
// teacher have learnt.
func (r *rounds) round(ctx context.Context, n int, dir string, first, of *trained.Model) (*trained.Model, error) {
	start, err := r.stops.Open(dir, r.device)
	if err != nil {
		return nil, err
	}
	defer start.Close()
	config, pairs, err := r.settle(n, dir, of, start)
	if err != nil {
		return nil, err
	}
	pairs.Held = start.Held
	record, part := r.record(config, pairs), training.NewSession(r.session.Env.Args, start)
	if err := record.Keep(start, part); err != nil {
		return nil, err
	}
	sub := r.subject(of, pairs)
	if pairs.Config.Pairs > 0 && start.Step() < config.Iterations {
		if err := r.load(ctx, pairs); err != nil {
			return nil, err
		}
	}
	r.session.Label = r.kind()
	if r.rounds > 1 {
		r.session.Label = fmt.Sprintf("round %d of %d", n, r.rounds)
	}
	res, err := r.session.Train(ctx, config, sub, start)
	r.losses = res.Losses
	if res.New > 0 {
		part.Steps, part.Seconds = res.New, res.Time.Seconds()
	}
	if kept := record.Keep(start, part); kept != nil {
		err = errors.Join(err, kept)
	}
	if err != nil {
		return nil, err
	}
	if err := start.Held(); err != nil {
		return nil, err
	}
	student, err := r.model.At(filepath.Join(dir, trainer.CheckpointFile), of.Info)
	if err != nil {
		return nil, err
	}
	return student, r.draw(ctx, dir, first, student)
}

// settle is the configuration of a round, and its teacher's pairs.
func (r *rounds) settle(n int, dir string, of *trained.Model, start *training.Start) (trainer.Config, *trainer.Pairs, error) {
	if c := start.Reflow(); c != nil && r.cmd.Precision == "auto" && strings.HasSuffix(c.Solver, inBF16) {
		r.cmd.Precision = "bf16" // as the run that goes on
	}
	config := r.config
	pairs := r.kept(n, dir, of, start)
	config.Reflow = &pairs.Config
	if err := r.hyper.ChoosePrecision(&config, start, of.Config); err != nil {
		return config, nil, err
	}
	if err := r.stops.Plan(start, &config, r.info); err != nil {
		return config, nil, err
	}
	if r.rounds > 1 && start.Longer() {
		return config, nil, cli.Usagef("--iterations %d, was %d: a run of several rounds is not made longer, for each round's student is the next one's teacher; start anew with --fresh",
			config.Iterations, start.From.Record.Training.Configuration.Iterations)
	}
	if err := start.Same(config, of.Config, r.info); err != nil {
		return config, nil, err
	}
	return config, pairs, r.teach(pairs, of)
}

// teach lets the model make the pairs.
func (r *rounds) teach(p *trainer.Pairs, of *trained.Model) error {
	precision := "fp32"
	if r.cmd.Precision == "bf16" {
		precision = "bf16"
	}
	velocity, err := of.Sampler(r.device, precision)
	p.Teacher.Velocity = velocity
	return err
}

// inBF16 ends the name of the solver of a teacher that is evaluated in bf16.
const inBF16 = ", bf16"

// kept are the teacher's pairs and where they are kept. Those that a reflow run
// was trained on serve its distillation too: they are the first teacher's own,
// and need not be drawn again. A run that goes on with such pairs takes them though
// files are gone: what it lacks is to be told then, for others do not serve it.
func (r *rounds) kept(n int, dir string, of *trained.Model, start *training.Start) *trainer.Pairs {
	p := &trainer.Pairs{
		Teacher: trainer.Teacher{Solver: r.solver, Device: r.device, Shape: of.Dims(), Classes: of.Classes, Batch: of.Batch(r.device)},
		Config:  trainer.ReflowConfig{Teacher: trainer.Fingerprint(of.Checkpoint.Tensors), Solver: r.solver.String(), Pairs: r.pairs, Round: n, Distill: r.distill},
		Seed:    r.config.Seed, Dir: filepath.Join(dir, trainer.PairsDir), PerFile: kinds.Of(r.info).PairsPerFile,
	}
	if r.cmd.Precision == "bf16" {
		p.Config.Solver += inBF16
	}
	if r.guided != nil && n == 1 {
		p.Teacher.Guidance, p.Config.Guidance = r.guided, r.guided.String()
	}
	rec := of.Checkpoint.Record
	if !r.distill || rec == nil || rec.Training.Configuration.Reflow == nil {
		return p
	}
	for _, own := range []string{"pairs", "method", "steps", "rtol", "atol", "guidance", "guidance-interval", "seed"} {
		if r.cmd.Changed(own) {
			return p
		}
	}
	old := *p
	old.Borrowed = true
	old.Config, old.Seed = *rec.Training.Configuration.Reflow, rec.Training.Configuration.Seed
	old.Config.Distill = true
	old.Dir = filepath.Join(filepath.Dir(of.Checkpoint.Path), trainer.PairsDir)
	was := start.Reflow()
	old.Resumed = was != nil && *was == old.Config
	if !old.Resumed && (old.Config.Pairs < r.config.BatchSize || old.Ready() < old.Config.Pairs) {
		return p
	}
	r.cmd.Say("note: the %s that the teacher was trained on are used; --pairs draws others", terminal.Counted(old.Config.Pairs, "pair"))
	return &old
}

// subject is the student: the teacher's network, with its weights.
func (r *rounds) subject(of *trained.Model, p *trainer.Pairs) *training.Subject {
	about, waiting := "fresh pairs of its teacher for every step", "drawing pairs"
	open := func(c trainer.Config, _ torch.Device, start int) (trainer.Source, error) {
		return p.Teacher.Fresh(c, start), nil
	}
	if p.Config.Pairs > 0 {
		about, waiting = terminal.Counted(p.Config.Pairs, "pair")+" of its teacher", ""
		open = func(c trainer.Config, _ torch.Device, start int) (trainer.Source, error) { return p.Source(c, start) }
	}
	return &training.Subject{
		Info: r.info, About: about, Network: of.Config, Waiting: waiting,
		Build: func() (models.Network, error) { return of.Build(r.device) }, Open: open,
	}
}

// load reads the pairs or draws them, after telling how much that is.
func (r *rounds) load(ctx context.Context, p *trainer.Pairs) error {
	if left := p.Config.Pairs - p.Ready(); left > 0 && !p.Borrowed {
		say := r.cmd.Say
		if took, ok := p.Estimate(); ok {
			say("%s to be drawn: about %s, and %s on disk in %s", terminal.Counted(left, "pair"), terminal.Duration(took), terminal.Bytes(p.Bytes()), p.Dir)
		} else {
			say("%s to be drawn, %s on disk in %s; %s takes as long as its tolerance needs", terminal.Counted(left, "pair"), terminal.Bytes(p.Bytes()), p.Dir, r.solver)
		}
	}
	bar := terminal.New(r.session.Env.Stderr, r.cmd.Quiet, "drawing pairs", p.Config.Pairs)
	defer bar.Done()
	began, ready := time.Now(), p.Ready()
	err := p.Load(ctx, func(done, of int) {
		note := ""
		if done > ready {
			note = terminal.Duration(time.Duration(float64(of-done)/float64(done-ready)*float64(time.Since(began)))) + " left"
		} else {
			began = time.Now() // these are read, not drawn
		}
		bar.Set(done, of, note)
	}, bar.Note)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("stopped while pairs were drawn: %s kept; the same command with --resume goes on: %w", terminal.Counted(p.Ready(), "pair"), err)
	}
	return err
}
