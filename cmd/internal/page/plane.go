package page

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"flowmatch/flow"
	"flowmatch/viz"
)

// What the page asks of models of points.
const (
	mostPoints = 6000
	fieldSide  = 21 // arrows on a side
	fieldTimes = 25 // times at which the field is known; the page blends between
)

// besides names the models of points that a request is about, which are shown side by side.
type besides struct {
	Models []string `json:"models"`
}

const mostModels = 2

func (a *besides) check() error {
	if len(a.Models) < 1 || len(a.Models) > mostModels {
		return refusef("one model or two")
	}
	return nil
}

// points opens models of points; on the worker.
func (s *Server) points(ids ...string) ([]*opened, error) {
	var all []*opened
	for _, id := range ids {
		m, err := s.models.open(id)
		if err != nil {
			return nil, err
		}
		if m.Kind != "points" {
			return nil, refusef("%s is not a model of points", id)
		}
		all = append(all, m)
	}
	return all, nil
}

type targetRequest struct {
	Model string `json:"model"`
}

func (a *targetRequest) check() error { return nil }

// target gives the view of a model.
func (s *Server) target(ctx context.Context, ask *targetRequest) (*view, error) {
	models, err := s.points(ask.Model)
	if err != nil {
		return nil, err
	}
	return models[0].look(ctx, s)
}

// traceRequest asks for samples on their way.
type traceRequest struct {
	besides
	Seed  int64 `json:"seed"`
	Count int   `json:"count"`
	solver
}

func (a *traceRequest) check() error {
	if a.Count < 1 || a.Count > mostPoints {
		return refusef("1 to %d points", mostPoints)
	}
	return cmp.Or(a.besides.check(), a.solver.check())
}

type traceStart struct {
	Times    []float64 `json:"times"`
	Commands []string  `json:"commands"` // in a shell; for each model
}

// traceFrame has the samples from first on at a frame's time. x: [n,2].
type traceFrame struct {
	Model int    `json:"model"`
	Frame int    `json:"frame"`
	First int    `json:"first"`
	X     Floats `json:"x"`
}

type traceDone struct {
	NFE  []int `json:"nfe"`
	Took int64 `json:"took"` // milliseconds
}

// batches parts samples so that the first few are there at once.
func batches(n int) [][2]int {
	var all [][2]int
	for first, size := 0, 128; first < n; size *= 3 {
		last := min(n, first+min(size, 1024))
		all = append(all, [2]int{first, last})
		first = last
	}
	return all
}

// trace streams samples as they are solved.
func (s *Server) trace(ctx context.Context, ask *traceRequest, out *stream) error {
	begin := time.Now()
	models, err := s.points(ask.Models...)
	if err != nil {
		return err
	}
	start := traceStart{}
	if _, start.Times, err = ask.make(models[0].OneStep); err != nil {
		return err
	}
	for _, m := range models {
		if command := s.sampleCommand(m.Model, ask.Seed, ask.solver, "--num-samples", itoa(ask.Count)); command != "" {
			start.Commands = append(start.Commands, command)
		}
	}
	out.send("start", start)
	nfe := make([]int, len(models))
	for _, b := range batches(ask.Count) {
		x0 := noise(2, ask.Seed, b[0], b[1]-b[0])
		for k, m := range models {
			done, err := m.solve(ctx, ask.solver, x0, func(frame, first int, x []float32) {
				out.send("frame", traceFrame{k, frame, b[0] + first, x})
				s.worker.Breathe()
			})
			if err != nil {
				return err
			}
			nfe[k] = done.NFE
		}
	}
	out.send("done", traceDone{nfe, time.Since(begin).Milliseconds()})
	return nil
}

// fieldRequest asks for the velocity field, first near a time.
type fieldRequest struct {
	besides
	T float64 `json:"t"`
}

type fieldStart struct {
	Side  int       `json:"side"`
	Times []float64 `json:"times"`
}

// fieldFrame is a velocity field at a time. v: [Side,Side,2], rows from the bottom.
type fieldFrame struct {
	Model int    `json:"model"`
	Index int    `json:"index"` // of the time
	V     Floats `json:"v"`
}

// fieldTimesOf are those at which a model has learnt anything.
func fieldTimesOf(m *opened) []float64 {
	if m.OneStep {
		return []float64{0}
	}
	return flow.EvenTimes(fieldTimes)
}

// field streams the velocity field at all times, the nearest to t first.
func (s *Server) field(ctx context.Context, ask *fieldRequest, out *stream) error {
	models, err := s.points(ask.Models...)
	if err != nil {
		return err
	}
	v, err := models[0].look(ctx, s)
	if err != nil {
		return err
	}
	places := viz.FieldGrid(viz.Range{X0: v.X0, X1: v.X1, Y0: v.Y0, Y1: v.Y1}, fieldSide)
	times := fieldTimesOf(models[0])
	out.send("start", fieldStart{fieldSide, times})
	order := make([]int, len(times))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(math.Abs(times[a]-ask.T), math.Abs(times[b]-ask.T))
	})
	for _, i := range order {
		for k, m := range models {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			t := times[i]
			if m.OneStep {
				t = 0
			}
			values, err := m.fieldAt(v, places, t)
			if err != nil {
				return err
			}
			out.send("field", fieldFrame{k, i, values})
			s.worker.Breathe()
		}
	}
	out.send("done", struct{}{})
	return nil
}
