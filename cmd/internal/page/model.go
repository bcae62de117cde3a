package page

import (
	"context"
	"fmt"
	"slices"
	"strings"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets/plane"
	"flowmatch/flow"
	"flowmatch/trainer"
	"flowmatch/trainer/pretrained"
	"flowmatch/trainer/trained"
)

// opened is a model with its weights in memory. Only jobs of the worker touch it.
type opened struct {
	Model
	file   *trained.Model
	device torch.Device
	set    *plane.Set // of a drawing; nil: by the file's Info

	velocities map[string]flow.Velocity // by precision
	view       *view
	fields     map[float64]Floats // by time, at the places of
	fieldsOf   *view
}

// solve draws a sample from each noise, as sampling says. observe, if set, is Sampling's.
func (m *opened) solve(ctx context.Context, c solver, x0 []float32, observe func(frame, first int, x []float32)) (*flow.Samples, error) {
	draw, err := m.sampling(c, len(x0)/m.file.Info.Dim())
	if err != nil {
		return nil, err
	}
	draw.X0, draw.Observe = x0, observe
	return draw.Draw(ctx)
}

// asTrained is a "precision" of in: float32, by weights that are not laid out for samples.
const asTrained = "as trained"

// in is what the model has learnt, for samples in a precision.
func (m *opened) in(precision string) (v flow.Velocity, err error) {
	if v, ok := m.velocities[precision]; ok {
		return v, nil
	}
	if precision == asTrained {
		v, err = m.file.Velocity(m.device)
	} else {
		v, err = m.file.Sampler(m.device, precision)
	}
	if err != nil {
		return nil, err
	}
	if m.velocities == nil {
		m.velocities = map[string]flow.Velocity{}
	}
	m.velocities[precision] = v
	return v, nil
}

// sampling draws n samples by a solver, as the sample command does: in the same
// precision, and on every core.
func (m *opened) sampling(c solver, n int) (flow.Sampling, error) {
	solve, times, err := c.make(m.OneStep)
	if err != nil {
		return flow.Sampling{}, err
	}
	_, adaptive := solve.(flow.Adaptive)
	precision, _, err := trainer.SamplingPrecision("auto", m.device, m.file.Config, adaptive)
	if err != nil {
		return flow.Sampling{}, err
	}
	if m.tiny(n) {
		precision = asTrained
	}
	velocity, err := m.in(precision)
	if err != nil {
		return flow.Sampling{}, err
	}
	// In some four parts, for the cores to share; flow.Sampling makes them a sixteenth of
	// Batch at least.
	const parts = 4
	return flow.Sampling{
		Velocity: velocity, Device: m.device, Solver: solve, Shape: m.file.Dims(), N: n, FrameTimes: times,
		Batch: min(m.file.Batch(m.device), 16*((n+parts-1)/parts)),
	}, nil
}

// tinyLayer is the bytes of a layer's output up to which a picture alone is solved faster by
// the weights of training: a product of weights that were laid out costs some 50 us before
// it begins. A digit of 8x8 with 32 channels takes 3 ms in place of 5 to 6 an evaluation,
// one with 64 channels 4.8 in place of 4.3 (Xeon with AMX, 2 cores); from two pictures on
// those laid out are faster throughout.
const tinyLayer = 8 << 10

// tiny tells whether n samples are so little work.
func (m *opened) tiny(n int) bool {
	return n == 1 && m.Kind == "images" && !m.device.IsCUDA() && m.file.Config.SampleBytes() <= tinyLayer
}

// mostOpened is how many models are kept in memory.
const mostOpened = 6

// opening keeps the models that were used last.
type opening struct {
	server *Server
	kept   []*opened // the last used is the last
	drawn  []*opened // those of Server.drawn
	count  int       // drawings so far
}

// open gives a model by its name; on the worker.
func (o *opening) open(id string) (*opened, error) {
	for _, k := range o.drawn {
		if k.ID == id {
			return k, nil
		}
	}
	m, err := o.server.find(id)
	if err != nil {
		return nil, err
	}
	for i, k := range o.kept {
		if k.ID != id {
			continue
		}
		if k.Updated == m.Updated {
			o.kept = append(slices.Delete(o.kept, i, i+1), k)
			return k, nil
		}
		o.kept = slices.Delete(o.kept, i, i+1) // it has been trained since
		break
	}
	k, err := o.read(m)
	if err != nil {
		return nil, err
	}
	o.keep(k)
	return k, nil
}

func (o *opening) keep(k *opened) {
	o.kept = append(slices.DeleteFunc(o.kept, func(old *opened) bool { return old.ID == k.ID }), k)
	if len(o.kept) > mostOpened {
		o.kept = slices.Delete(o.kept, 0, 1) // its tensors are freed when nothing holds them
	}
}

func (o *opening) read(m Model) (*opened, error) {
	file, err := o.file(m)
	if err != nil {
		return nil, err
	}
	return &opened{Model: m, file: file, device: o.server.device}, nil
}

// file is the model's checkpoint: one that is part of the program, or one in the output folder.
func (o *opening) file(m Model) (*trained.Model, error) {
	if strings.HasPrefix(m.Family, "pretrained") {
		ck, err := pretrained.Open(m.Set, m.Family == "pretrained-reflow")
		if err != nil {
			return nil, err
		}
		return trained.Of(ck, trained.Options{})
	}
	path, err := o.server.outputs.real(m.file)
	if err != nil {
		return nil, err
	}
	return trained.Open(path, trained.Options{})
}

// view is what of the plane is shown, and how dense the set is there.
type view struct {
	set *plane.Set // nil where the model's own samples stand for it
	X0  float64    `json:"x0"`
	X1  float64    `json:"x1"`
	Y0  float64    `json:"y0"`
	Y1  float64    `json:"y1"`
	// Density is that of the set in the cells of a grid of Cells x Cells, rows from
	// the bottom, 1 where it is greatest.
	Cells   int    `json:"cells"`
	Density Floats `json:"density"`
	// Own tells that it is the model's samples' and not the set's.
	Own bool `json:"own,omitempty"`
}

var viewSolver = solver{Method: "midpoint", Steps: 10}

const (
	noiseReach  = 3.2 // nearly all noise lies within
	viewCells   = 72
	viewPoints  = 60_000
	viewSamples = 6_000
)

// look makes the view of a model of points; on the worker.
func (m *opened) look(ctx context.Context, s *Server) (*view, error) {
	if m.view != nil {
		return m.view, nil
	}
	v := &view{Cells: viewCells}
	var points []float32
	set, err := m.set, error(nil)
	if set == nil {
		set, err = plane.OpenIn(m.file.Info.Name, m.file.Info.Frame)
	}
	if err == nil {
		v.set = set
		points = make([]float32, 2*viewPoints)
		set.Sample(points, 1, 0)
	} else {
		v.Own = true
		draw, err := m.sampling(viewSolver, viewSamples)
		if err != nil {
			return nil, err
		}
		draw.Seed, draw.FrameTimes, draw.Progress = 1, nil, func(int, int) { s.worker.Breathe() }
		out, err := draw.Draw(ctx)
		if err != nil {
			return nil, err
		}
		points = out.X
	}
	r := plane.SquareAround(points)
	if v.Own { // a few stray samples must not make the rest small
		r = plane.SquareAround(inner(points))
	}
	v.X0, v.X1 = min(r.X0, -noiseReach), max(r.X1, noiseReach)
	v.Y0, v.Y1 = min(r.Y0, -noiseReach), max(r.Y1, noiseReach)
	v.square()
	v.Density = v.density(points)
	m.view = v
	return v, nil
}

// square makes the view as wide as high.
func (v *view) square() {
	side := max(v.X1-v.X0, v.Y1-v.Y0)
	cx, cy := (v.X0+v.X1)/2, (v.Y0+v.Y1)/2
	v.X0, v.X1, v.Y0, v.Y1 = cx-side/2, cx+side/2, cy-side/2, cy+side/2
}

// inner are the points of which both coordinates lie within the middle 99 %.
func inner(points []float32) []float32 {
	var lo, hi [2]float32
	for k := range 2 {
		var all []float32
		for i := k; i < len(points); i += 2 {
			all = append(all, points[i])
		}
		slices.Sort(all)
		lo[k], hi[k] = all[len(all)/200], all[len(all)-1-len(all)/200]
	}
	var kept []float32
	for i := 0; i < len(points); i += 2 {
		if x, y := points[i], points[i+1]; x >= lo[0] && x <= hi[0] && y >= lo[1] && y <= hi[1] {
			kept = append(kept, x, y)
		}
	}
	return kept
}

// density counts points in the view's cells and smooths the counts a little.
func (v *view) density(points []float32) Floats {
	n := v.Cells
	d := make(Floats, n*n)
	for i := 0; i+1 < len(points); i += 2 {
		x := int((float64(points[i]) - v.X0) / (v.X1 - v.X0) * float64(n))
		y := int((float64(points[i+1]) - v.Y0) / (v.Y1 - v.Y0) * float64(n))
		if x >= 0 && x < n && y >= 0 && y < n {
			d[y*n+x]++
		}
	}
	kernel := [3]float32{.25, .5, .25}
	for range 2 {
		for _, step := range []int{1, n} {
			out := make(Floats, n*n)
			for i := range d {
				for k, w := range kernel {
					at := i + (k-1)*step
					if at < 0 || at >= n*n || step == 1 && at/n != i/n {
						continue
					}
					out[i] += w * d[at]
				}
			}
			d = out
		}
	}
	greatest := slices.Max(d)
	if greatest > 0 {
		for i := range d {
			d[i] /= greatest
		}
	}
	return d
}

// solver is what a request says of one.
type solver struct {
	Method string  `json:"method"`
	Steps  int     `json:"steps"`
	RTol   float64 `json:"rtol"`
}

// mostSteps bounds a fixed-step solver on the page.
const mostSteps = 100

func (c *solver) check() error {
	_, _, err := c.make(false)
	return err
}

// filmTimes are the frames of an adaptive solver.
const filmTimes = 33

// make gives the solver, and the times at which its states are shown: the ends of its
// steps, or even ones where it chooses them.
func (c solver) make(oneStep bool) (flow.Solver, []float64, error) {
	if oneStep {
		c = solver{Method: "euler", Steps: 1}
	}
	if flow.IsAdaptive(c.Method) {
		if !(c.RTol >= 1e-7 && c.RTol <= 1e-1) {
			return nil, nil, refusef("a tolerance is between 1e-7 and 0.1")
		}
		made, err := flow.NewSolver(flow.SolverConfig{Method: c.Method, RTol: c.RTol, ATol: c.RTol, MaxSteps: 2000})
		return made, flow.EvenTimes(filmTimes), err
	}
	if c.Steps < 1 || c.Steps > mostSteps {
		return nil, nil, refusef("steps are 1 to %d", mostSteps)
	}
	made, err := flow.NewSolver(flow.SolverConfig{Method: c.Method, Steps: c.Steps})
	if err != nil {
		return nil, nil, refusef("%v", err)
	}
	h := 1 / float64(c.Steps) // the solver's own arithmetic: no state lies between steps
	times := make([]float64, c.Steps+1)
	for i := range times {
		times[i] = float64(i) * h
	}
	times[c.Steps] = 1
	return made, times, nil
}

// flags are a solver as a command line has it.
func (c solver) flags() []string {
	if flow.IsAdaptive(c.Method) {
		return []string{"--method", c.Method, "--rtol", fmt.Sprint(c.RTol), "--atol", fmt.Sprint(c.RTol)}
	}
	return []string{"--method", c.Method, "--steps", fmt.Sprint(c.Steps)}
}

// noise is that of n samples of a seed, from the one numbered first on: bin/sample begins
// with the same.
func noise(dim int, seed int64, first, n int) []float32 {
	x := make([]float32, n*dim)
	for i := range n {
		flow.Noise(x[i*dim:(i+1)*dim], seed, int64(first+i))
	}
	return x
}

// fieldAt is the field at a time at places of a view, [N,2]; those of the last view are kept.
func (m *opened) fieldAt(v *view, places []float32, t float64) (Floats, error) {
	if m.fieldsOf != v {
		m.fields, m.fieldsOf = map[float64]Floats{}, v
	}
	if known, ok := m.fields[t]; ok {
		return known, nil
	}
	velocity, err := m.in("fp32")
	if err != nil {
		return nil, err
	}
	m.fields[t] = evaluate(velocity, m.device, places, t)
	return m.fields[t], nil
}

// evaluate is a velocity at places of the plane, [N,2], at a time.
func evaluate(velocity flow.Velocity, d torch.Device, places []float32, t float64) (v Floats) {
	torch.Scoped(func() {
		torch.NoGrad(func() {
			x := torch.FromSlice(places, int64(len(places)/2), 2).To(d)
			v = torch.ToSlice[float32](velocity.Field(torch.Tensor{})(x, t))
		})
	})
	return v
}
