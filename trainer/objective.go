package trainer

import "flowmatch/flow"

// Objective is what the configuration trains a velocity field on. null is the
// label of the network's null class, -1 where it has none.
func (c Config) Objective(null int64) flow.Objective {
	return flow.Objective{
		Path:          flow.OTPath{SigmaMin: c.SigmaMin},
		Times:         c.times(),
		StableTargets: c.StableTargets,
		ClassDropout:  c.ClassDropout,
		Null:          null,
	}
}

func (c Config) times() flow.TimeSampler {
	if c.distills() {
		return flow.TimeZero{}
	}
	var times flow.TimeSampler = flow.UniformTimes{}
	if c.StratifiedTimes {
		times = flow.StratifiedTimes{}
	}
	if c.TimePower != 0 && c.TimePower != 1 {
		times = flow.LateTimes{Of: times, Power: c.TimePower}
	}
	return times
}

// distills tells whether the whole way is learnt in one step.
func (c Config) distills() bool { return c.Reflow != nil && c.Reflow.Distill }
