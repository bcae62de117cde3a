package main

import (
	"context"
	"fmt"
	"image/png"
	"io"
	"path/filepath"

	"github.com/wangkuiyi/gotorch/atomicfile"

	"flowmatch/cmd/internal/modelfile"
	"flowmatch/flow"
	"flowmatch/viz"
)

// figures draws a round's pictures.
func (r *rounds) figures(ctx context.Context, dir string, teacher, student *modelfile.Model) ([]string, error) {
	if r.noFigures || r.info.Is2D() {
		return nil, nil
	}
	path, err := r.fewSteps(ctx, dir, teacher, student)
	return []string{path}, err
}

// fewSteps draws few_step_samples.png: the same noise by the first teacher and,
// in few steps, by the student.
func (r *rounds) fewSteps(ctx context.Context, dir string, teacher, student *modelfile.Model) (string, error) {
	const columns = 10
	euler := func(n int) flow.Solver {
		m, _ := flow.FixedStepMethod("euler")
		return flow.FixedStep{Method: m, Steps: n}
	}
	shape := r.info.Shape
	grid := viz.Pictures{Shape: shape}
	layout := viz.Layout{Columns: make([][]int, columns)}
	var rows []string
	add := func(name string, m *modelfile.Model, s flow.Solver) error {
		x, err := r.draw(ctx, m, s, columns)
		if err != nil {
			return err
		}
		for c := range columns {
			layout.Columns[c] = append(layout.Columns[c], len(rows)*columns+c)
		}
		rows, grid.X = append(rows, name), append(grid.X, x...)
		return nil
	}
	if err := add("teacher, "+r.solver.String(), teacher, r.solver); err != nil {
		return "", err
	}
	if err := add("teacher, 1 step", teacher, euler(1)); err != nil {
		return "", err
	}
	counts := []int{1, 2, 4}
	if r.distill {
		counts = []int{1} // it has learnt nothing of other times than 0
	}
	for _, n := range counts {
		name := fmt.Sprintf("student, %d steps", n)
		if n == 1 {
			name = "student, 1 step"
		}
		if err := add(name, student, euler(n)); err != nil {
			return "", err
		}
	}
	img, err := viz.ImageGrid(grid, viz.GridConfig{Layout: layout, Rows: rows})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "few_step_samples.png")
	if err := atomicfile.Write(path, func(w io.Writer) error { return png.Encode(w, img) }); err != nil {
		return "", fmt.Errorf("%s was not written: %w", path, err)
	}
	return path, nil
}

// draw solves n samples, of the classes in turn.
func (r *rounds) draw(ctx context.Context, m *modelfile.Model, s flow.Solver, n int) ([]float32, error) {
	net, err := m.Build(r.device)
	if err != nil {
		return nil, err
	}
	d := flow.Sampling{Model: net, Device: r.device, Solver: s, Shape: m.Dims(), N: n, Seed: r.Seed, Batch: m.Batch()}
	for i := range n {
		if m.Classes > 0 {
			d.Labels = append(d.Labels, int64(i%m.Classes))
		}
	}
	out, err := d.Draw(ctx)
	if err != nil {
		return nil, err
	}
	return out.X, nil
}
