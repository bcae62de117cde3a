package page

import (
	"cmp"
	"context"
	"math"
)

// mostPaths is how many points' ways are asked for at once.
const mostPaths = 12

// pathsRequest asks for the ways of points that somebody dropped.
type pathsRequest struct {
	besides
	Points []droppedPoint `json:"points"`
	solver
}

// droppedPoint is a point of the plane at a time.
type droppedPoint struct {
	X float32 `json:"x"`
	Y float32 `json:"y"`
	T float64 `json:"t"`
}

func (a *pathsRequest) check() error {
	if len(a.Points) < 1 || len(a.Points) > mostPaths {
		return refusef("1 to %d points", mostPaths)
	}
	for _, p := range a.Points {
		if !(p.T >= 0 && p.T <= 1 && math.Abs(float64(p.X)) < 1e6 && math.Abs(float64(p.Y)) < 1e6) {
			return refusef("a time between 0 and 1, and a point of the plane")
		}
	}
	return cmp.Or(a.besides.check(), a.solver.check())
}

// pathsAnswer has for each point its way by each model.
type pathsAnswer struct {
	Paths [][]pointPath `json:"paths"`
}

// pointPath is where a point is at times in rising order. x: [n,2].
type pointPath struct {
	Times []float64 `json:"times"`
	X     Floats    `json:"x"`
}

// paths solves from points to both ends of time.
func (s *Server) paths(ctx context.Context, ask *pathsRequest) (*pathsAnswer, error) {
	models, err := s.points(ask.Models...)
	if err != nil {
		return nil, err
	}
	all := &pathsAnswer{}
	for _, p := range ask.Points {
		ways := make([]pointPath, len(models))
		for k, m := range models {
			if ways[k], err = m.through(ctx, ask.solver, p); err != nil {
				return nil, err
			}
		}
		all.Paths = append(all.Paths, ways)
	}
	return all, nil
}

// through is the path of a point, back to the noise and on to the data.
func (m *opened) through(ctx context.Context, c solver, at droppedPoint) (p pointPath, err error) {
	t := at.T
	if m.OneStep {
		t = 0
	}
	backTimes, back, err := m.leg(ctx, c, at, t, 0)
	if err != nil {
		return p, err
	}
	onTimes, on, err := m.leg(ctx, c, at, t, 1)
	if err != nil {
		return p, err
	}
	for i := len(backTimes) - 1; i > 0; i-- {
		p.Times = append(p.Times, backTimes[i])
		p.X = append(p.X, back[2*i], back[2*i+1])
	}
	p.Times, p.X = append(p.Times, t), append(p.X, at.X, at.Y)
	if len(onTimes) > 0 {
		p.Times, p.X = append(p.Times, onTimes[1:]...), append(p.X, on[2:]...)
	}
	return p, nil
}

// leg is where a point goes between two times, by its share of the solver's steps. It is
// computed in float32, so that a point comes back to where it was dropped.
func (m *opened) leg(ctx context.Context, c solver, at droppedPoint, from, to float64) (times []float64, states []float32, err error) {
	if from == to {
		return nil, nil, nil
	}
	c.Steps = max(1, int(math.Round(float64(c.Steps)*math.Abs(to-from))))
	draw, err := m.sampling(c, 1)
	if err != nil {
		return nil, nil, err
	}
	if draw.Velocity, err = m.in("fp32"); err != nil {
		return nil, nil, err
	}
	even := draw.FrameTimes
	h := (to - from) / float64(len(even)-1)
	for i := range even {
		times = append(times, from+float64(i)*h)
	}
	times[len(times)-1] = to
	states = make([]float32, 2*len(times))
	draw.Solver, draw.FrameTimes, draw.X0 = draw.Solver.Between(from, to), times, []float32{at.X, at.Y}
	draw.Observe = func(frame, _ int, x []float32) { copy(states[2*frame:], x) }
	_, err = draw.Draw(ctx)
	return times, states, err
}
