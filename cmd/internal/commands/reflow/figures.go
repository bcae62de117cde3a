package reflow

import (
	"context"
	"path/filepath"

	"flowmatch/cmd/internal/figures"
	"flowmatch/cmd/internal/kinds"
	"flowmatch/trainer/trained"
)

// draw draws a round's pictures: those of a training, and of images the first
// teacher's samples beside the student's in few steps.
func (r *rounds) draw(ctx context.Context, dir string, teacher, student *trained.Model) error {
	_, err := r.figures.Draw(ctx, r.session.Env, figures.Run{
		Dir: dir, Info: r.info, Network: student.Config, Device: r.device, Losses: r.losses, OneStep: r.distill, Reference: r.hyper.Recipe == "reference",
	})
	if err != nil || r.figures.Off {
		return err
	}
	return besides.Of(r.info)(r, ctx, dir, teacher, student)
}

// besides are the pictures of a round besides those of a training.
var besides = kinds.Each[func(r *rounds, ctx context.Context, dir string, teacher, student *trained.Model) error]{
	Points: func(*rounds, context.Context, string, *trained.Model, *trained.Model) error { return nil },
	Images: (*rounds).fewSteps,
}

// fewSteps draws samples of the teacher beside the student's in few steps.
func (r *rounds) fewSteps(ctx context.Context, dir string, teacher, student *trained.Model) error {
	rows := []figures.Row{
		{Name: "teacher, " + r.solver.String(), Of: teacher, Solver: r.solver},
		figures.Euler("teacher", teacher, 1),
		figures.Euler("student", student, 1),
	}
	if r.guided != nil {
		for i := range rows[:2] {
			rows[i].Name += ", guidance " + r.guided.String()
			rows[i].Guidance = r.guided
		}
	}
	if !r.distill { // that has learnt nothing of other times than 0
		rows = append(rows, figures.Euler("student", student, 2), figures.Euler("student", student, 4))
	}
	return figures.FewSteps(ctx, filepath.Join(dir, "few_step_samples.png"), r.info.Slug(), r.device, r.cmd.Seed, rows)
}
