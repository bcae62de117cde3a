package page

import (
	"context"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/measures"
)

// Quality is measured as evaluate measures it, with fewer samples: enough to see the
// curve, and done in seconds.
const qualitySamples = 2000

// qualitySolvers are the points of the curve, the cheapest first.
var qualitySolvers = []solver{
	{Method: "euler", Steps: 1}, {Method: "midpoint", Steps: 1}, {Method: "euler", Steps: 2}, {Method: "midpoint", Steps: 2},
	{Method: "euler", Steps: 4}, {Method: "midpoint", Steps: 4}, {Method: "euler", Steps: 8}, {Method: "midpoint", Steps: 8},
	{Method: "euler", Steps: 16}, {Method: "midpoint", Steps: 16}, {Method: "euler", Steps: 32},
}

type qualityStart struct {
	Floor   *float64 `json:"floor"` // data against data
	Samples int      `json:"samples"`
	Command string   `json:"command"`
}

type qualityPoint struct {
	Model  int      `json:"model"`
	Method string   `json:"method"`
	NFE    int      `json:"nfe"`
	SW2    *float64 `json:"sw2"`
}

type qualityRequest struct {
	besides
	Seed int64 `json:"seed"`
}

// quality streams the distance of samples to the set, by the number of evaluations.
func (s *Server) quality(ctx context.Context, ask *qualityRequest, out *stream) error {
	models, err := s.points(ask.Models...)
	if err != nil {
		return err
	}
	v, err := models[0].look(ctx, s)
	if err != nil {
		return err
	}
	if v.set == nil {
		return refusef("the points that this model was trained on are not at hand")
	}
	distance := measures.DistanceTo(v.set, qualitySamples, ask.Seed)
	floor, err := distance.Floor()
	if err != nil {
		return err
	}
	out.send("start", qualityStart{cli.Finite(floor), qualitySamples, s.evaluateCommand(models[0].Model)})
	for _, c := range qualitySolvers {
		for k, m := range models {
			if m.OneStep && c != qualitySolvers[0] {
				continue
			}
			const part = 250 // so that a click in between need not wait
			var x []float32
			nfe := 0
			for first := 0; first < qualitySamples; first += part {
				done, err := m.solve(ctx, c, noise(2, ask.Seed, first, part), nil)
				if err != nil {
					return err
				}
				x, nfe = append(x, done.X...), done.NFE
				s.worker.Breathe()
			}
			d, err := distance.Of(x)
			if err != nil {
				return err
			}
			out.send("point", qualityPoint{k, c.Method, nfe, cli.Finite(d)})
		}
	}
	out.send("done", struct{}{})
	return nil
}
