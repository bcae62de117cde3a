package modelfile

import (
	"strconv"
	"strings"

	"flowmatch/cmd/internal/cli"
	"flowmatch/flow"
	"flowmatch/trainer/trained"
)

// Guidance are the flags of classifier-free guidance.
type Guidance struct {
	Scale    float64 // 1: off
	interval string
}

// AddGuidance adds --guidance and --guidance-interval. whose is what they act
// on: "the teacher's", or nothing.
func AddGuidance(g *cli.Group, whose string) *Guidance {
	f := &Guidance{}
	if whose != "" {
		whose += " "
	}
	g.Float64Var(&f.Scale, "guidance", 1, whose+"scale W of v = v_u + W (v_c - v_u), for a model trained with --class-dropout; 1 is off")
	g.StringVar(&f.interval, "guidance-interval", "", "guide only at times from a to b: a,b")
	g.Lists("guidance-interval")
	return f
}

// Check finds what is wrong without files.
func (g *Guidance) Check() error {
	switch {
	case !(g.Scale >= 0 && g.Scale <= 1000):
		return cli.Usagef("--guidance %v: 0 to 1000; 1 is off", g.Scale)
	case g.interval != "" && g.Scale == 1:
		return cli.Usagef("--guidance-interval needs --guidance other than 1, which is off")
	}
	_, _, err := g.times()
	return err
}

// Of is the guidance of a model, nil for none.
func (g *Guidance) Of(m *trained.Model) (*flow.Guidance, error) {
	if g.Scale == 1 {
		return nil, nil
	}
	if m.Classes == 0 {
		return nil, cli.Usagef("--guidance: the model has no classes to guide to")
	}
	if m.Null() < 0 {
		return nil, cli.Usagef("--guidance: the model has no null class; train it with --class-dropout 0.1")
	}
	from, to, err := g.times()
	return &flow.Guidance{Scale: g.Scale, From: from, To: to, Null: m.Null()}, err
}

// times are those of --guidance-interval.
func (g *Guidance) times() (from, to float64, err error) {
	if g.interval == "" {
		return 0, 1, nil
	}
	a, b, ok := strings.Cut(g.interval, ",")
	from, errA := strconv.ParseFloat(strings.TrimSpace(a), 64)
	to, errB := strconv.ParseFloat(strings.TrimSpace(b), 64)
	if !ok || errA != nil || errB != nil || !(0 <= from && from < to && to <= 1) {
		return 0, 0, cli.Usagef("--guidance-interval %q: two times, 0 <= a < b <= 1, as in 0.2,0.8", g.interval)
	}
	return from, to, nil
}
