package trainer

import (
	"flowmatch/flow"
	"flowmatch/models"
)

// Objective is what the configuration, which Check finds nothing wrong with, trains
// a velocity field on. null is the label of the network's null class, -1 where it
// has none.
func (c Config) Objective(null int64) flow.Objective {
	path, err := c.path()
	if err != nil {
		panic(err)
	}
	coupling, err := flow.NewCoupling(c.Coupling)
	if err != nil {
		panic(err)
	}
	return flow.Objective{
		Path:          path,
		Coupling:      coupling,
		Times:         c.times(),
		StableTargets: c.StableTargets,
		ClassDropout:  c.ClassDropout,
		Null:          null,
	}
}

func (c Config) path() (flow.Path, error) {
	p, err := flow.NewPath(flow.PathConfig{Name: c.Path, SigmaMin: c.SigmaMin})
	if err != nil {
		return nil, models.Wrong("path", "%v", err)
	}
	return p, nil
}

// pairing is the coupling of noise and data where it is made ahead of the steps.
func (c Config) pairing() (flow.Pairing, bool) {
	coupling, err := flow.NewCoupling(c.Coupling)
	if err != nil {
		return nil, false // Check says so
	}
	p, ok := coupling.(flow.Pairing)
	return p, ok
}

func (c Config) times() flow.TimeSampler {
	if c.distills() {
		return flow.TimeZero{}
	}
	times, err := flow.NewTimes(c.timesConfig())
	if err != nil {
		panic(err) // Check says so
	}
	return times
}

func (c Config) timesConfig() flow.TimesConfig {
	return flow.TimesConfig{Name: c.Times, Stratified: c.StratifiedTimes, Power: c.TimePower}
}

// distills tells whether the whole way is learnt in one step.
func (c Config) distills() bool { return c.Reflow != nil && c.Reflow.Distill }
