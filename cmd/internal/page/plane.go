package page

import (
	"cmp"
	"context"
	"math"
	"net/http"
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

// mostModels is how many models are shown side by side.
const mostModels = 2

// pair checks the names of the models of a request.
func pair(ids []string) error {
	if len(ids) < 1 || len(ids) > mostModels {
		return refusef("one model or two")
	}
	return nil
}

// points opens models of points; on the worker.
func (s *Server) points(ids []string) ([]*opened, error) {
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

// target answers with the view of a model.
func (s *Server) target(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Model string `json:"model"`
	}
	if err := decode(w, r, &ask); err != nil {
		fail(w, err)
		return
	}
	var v *view
	err := s.worker.Do(r.Context(), pageOf(r)+"/target", Instant, func(ctx context.Context) error {
		ms, err := s.points([]string{ask.Model})
		if err == nil {
			v, err = ms[0].look(ctx, s)
		}
		return err
	})
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, v)
}

// traceRequest asks for samples on their way.
type traceRequest struct {
	Models []string `json:"models"`
	Seed   int64    `json:"seed"`
	Count  int      `json:"count"`
	solver
}

type traceStart struct {
	Times   []float64 `json:"times"`
	Command string    `json:"command"`
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
func (s *Server) trace(w http.ResponseWriter, r *http.Request) {
	var ask traceRequest
	err := decode(w, r, &ask)
	if err == nil {
		err = pair(ask.Models)
	}
	if err == nil && (ask.Count < 1 || ask.Count > mostPoints) {
		err = refusef("1 to %d points", mostPoints)
	}
	if err == nil {
		_, _, err = ask.make(false)
	}
	if err != nil {
		fail(w, err)
		return
	}
	s.stream(w, r, "trace", Stream, func(ctx context.Context, out *stream) error {
		begin := time.Now()
		models, err := s.points(ask.Models)
		if err != nil {
			return err
		}
		_, times, err := ask.make(models[0].OneStep)
		if err != nil {
			return err
		}
		out.send("start", traceStart{times, s.sampleCommand(models[0].Model, ask.Seed, ask.solver, "--num-samples", itoa(ask.Count))})
		nfe := make([]int, len(models))
		for _, b := range batches(ask.Count) {
			x0 := noise(2, ask.Seed, b[0], b[1]-b[0])
			for k, m := range models {
				solve, own, err := ask.make(m.OneStep)
				if err != nil {
					return err
				}
				done, err := flow.Sampling{
					Velocity: m.velocity, Device: s.device, Solver: solve, Shape: m.dims, N: b[1] - b[0], X0: x0, FrameTimes: own,
					Observe: func(frame, _ int, x []float32) {
						out.send("frame", traceFrame{k, frame, b[0], x})
						s.worker.Breathe()
					},
				}.Draw(ctx)
				if err != nil {
					return err
				}
				nfe[k] = done.NFE
			}
		}
		out.send("done", traceDone{nfe, time.Since(begin).Milliseconds()})
		return nil
	})
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
func (s *Server) field(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Models []string `json:"models"`
		T      float64  `json:"t"`
	}
	err := decode(w, r, &ask)
	if err == nil {
		err = pair(ask.Models)
	}
	if err != nil {
		fail(w, err)
		return
	}
	s.stream(w, r, "field", Stream, func(ctx context.Context, out *stream) error {
		models, err := s.points(ask.Models)
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
				if k == 0 || m.view == v {
					out.send("field", fieldFrame{k, i, m.fieldAt(s, places, t)})
				} else {
					out.send("field", fieldFrame{k, i, m.evaluate(s.device, places, t)})
				}
				s.worker.Breathe()
			}
		}
		out.send("done", struct{}{})
		return nil
	})
}

// fieldAt is the field at the places of the model's own view, which is kept.
func (m *opened) fieldAt(s *Server, places []float32, t float64) Floats {
	v, ok := m.fields[t]
	if !ok {
		v = m.evaluate(s.device, places, t)
		m.fields[t] = v
	}
	return v
}

// pathAnswer is the way of a point for each model, at times in rising order. x: [n,2].
type pathAnswer struct {
	Paths []pointPath `json:"paths"`
}

type pointPath struct {
	Times []float64 `json:"times"`
	X     Floats    `json:"x"`
}

// path solves from a point at a time to both ends.
func (s *Server) path(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Models []string `json:"models"`
		X      float32  `json:"x"`
		Y      float32  `json:"y"`
		T      float64  `json:"t"`
		solver
	}
	err := decode(w, r, &ask)
	if err == nil {
		err = pair(ask.Models)
	}
	if err == nil && !(ask.T >= 0 && ask.T <= 1 && math.Abs(float64(ask.X)) < 1e6 && math.Abs(float64(ask.Y)) < 1e6) {
		err = refusef("a time between 0 and 1, and a point of the plane")
	}
	if err == nil {
		_, _, err = ask.make(false)
	}
	if err != nil {
		fail(w, err)
		return
	}
	var all pathAnswer
	err = s.worker.Do(r.Context(), pageOf(r)+"/path/"+itoa(len(ask.Models)), Instant, func(ctx context.Context) error {
		models, err := s.points(ask.Models)
		if err != nil {
			return err
		}
		for _, m := range models {
			p, err := s.through(ctx, m, ask.solver, []float32{ask.X, ask.Y}, ask.T)
			if err != nil {
				return err
			}
			all.Paths = append(all.Paths, p)
		}
		return nil
	})
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, all)
}

// through is the path of the point x: [2] at t, back to the noise and on to the data.
func (s *Server) through(ctx context.Context, m *opened, c solver, x []float32, t float64) (p pointPath, err error) {
	if m.OneStep {
		t = 0
	}
	leg := func(to float64) (times []float64, states []float32, err error) {
		if t == to {
			return nil, nil, nil
		}
		own := c
		own.Steps = max(1, int(math.Round(float64(c.Steps)*math.Abs(to-t))))
		solve, even, err := own.make(m.OneStep)
		if err != nil {
			return nil, nil, err
		}
		h := (to - t) / float64(len(even)-1)
		for i := range even {
			times = append(times, t+float64(i)*h)
		}
		times[len(times)-1] = to
		states = make([]float32, 2*len(times))
		_, err = flow.Sampling{
			Velocity: m.velocity, Device: s.device, Solver: solve.Between(t, to), Shape: m.dims, N: 1, X0: x, FrameTimes: times,
			Observe: func(frame, _ int, x []float32) { copy(states[2*frame:], x) },
		}.Draw(ctx)
		return times, states, err
	}
	backTimes, back, err := leg(0)
	if err != nil {
		return p, err
	}
	onTimes, on, err := leg(1)
	if err != nil {
		return p, err
	}
	for i := len(backTimes) - 1; i > 0; i-- {
		p.Times = append(p.Times, backTimes[i])
		p.X = append(p.X, back[2*i], back[2*i+1])
	}
	p.Times, p.X = append(p.Times, t), append(p.X, x...)
	if len(onTimes) > 0 {
		p.Times, p.X = append(p.Times, onTimes[1:]...), append(p.X, on[2:]...)
	}
	return p, nil
}
