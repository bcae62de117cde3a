package figures

import (
	"context"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/terminal"
	"flowmatch/flow"
	"flowmatch/trainer/trained"
	"flowmatch/viz"
)

// Row is a model of images and how it is solved.
type Row struct {
	Name   string
	Of     *trained.Model
	Solver flow.Solver
	// Guidance of the samples' classes, nil for none.
	Guidance *flow.Guidance
}

// Euler is a row of so many Euler steps. whose is in its name: "student".
func Euler(whose string, of *trained.Model, steps int) Row {
	m, _ := flow.FixedStepMethod("euler")
	return Row{Name: whose + ", " + terminal.Counted(steps, "step"), Of: of, Solver: flow.FixedStep{Method: m, Steps: steps}}
}

// fewColumns is the samples in a row.
const fewColumns = 10

// FewSteps writes a grid with a row of samples for each of rows. All start from
// the same noise and have the same classes, in turn. set names the set in the title.
func FewSteps(ctx context.Context, path, set string, d torch.Device, seed int64, rows []Row) error {
	grid := viz.Pictures{Shape: [3]int(rows[0].Of.Info.Shape)}
	layout := viz.Layout{Columns: make([][]int, fewColumns)}
	var names []string
	velocities := map[*trained.Model]flow.Velocity{}
	for _, r := range rows {
		velocity := velocities[r.Of]
		if velocity == nil {
			var err error
			if velocity, err = r.Of.Sampler(d, "fp32"); err != nil {
				return err
			}
			velocities[r.Of] = velocity
		}
		draw := flow.Sampling{
			Velocity: velocity, Device: d, Solver: r.Solver, Shape: r.Of.Dims(),
			N: fewColumns, Seed: seed, Batch: r.Of.Batch(d), Guidance: r.Guidance,
		}
		for i := range fewColumns {
			if r.Of.Classes > 0 {
				draw.Labels = append(draw.Labels, int64(i%r.Of.Classes))
			}
		}
		out, err := draw.Draw(ctx)
		if err != nil {
			return err
		}
		if !flow.Finite(out.X) {
			return notFinite(r.Name)
		}
		for c := range fewColumns {
			layout.Columns[c] = append(layout.Columns[c], len(names)*fewColumns+c)
		}
		names, grid.X = append(names, r.Name), append(grid.X, out.X...)
	}
	img, err := viz.ImageGrid(grid, viz.GridConfig{Layout: layout, Rows: names, Title: Title(set, SeedName(seed))})
	if err != nil {
		return err
	}
	return WritePNG(path, img)
}
