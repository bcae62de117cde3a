package flow

import (
	"fmt"
	"strings"

	torch "github.com/wangkuiyi/gotorch"
)

// TimeSampler draws the times that a model is trained at.
type TimeSampler interface {
	// Sample is n times in [0,1): [n] on the device, drawn from gen.
	Sample(gen *torch.Generator, n int64, d torch.Device) torch.Tensor
}

// UniformTimes are drawn from U(0,1), each by itself.
type UniformTimes struct{}

// Sample: -> [n].
func (UniformTimes) Sample(gen *torch.Generator, n int64, d torch.Device) torch.Tensor {
	return torch.RandWith(gen, []int64{n}, torch.Options{Device: d})
}

// TimesConfig names a distribution of times.
type TimesConfig struct {
	Name       string  // "uniform" or "logit-normal"; "": uniform
	Stratified bool    // one in each part of the distribution: see StratifiedTimes
	Power      float64 // of uniform ones alone, see LateTimes; 0: 1
}

// distributions are those there are, the default first, of times u. A new one is a line here.
var distributions = []struct {
	name string
	make func(u TimeSampler, c TimesConfig) TimeSampler
}{
	{"uniform", func(u TimeSampler, c TimesConfig) TimeSampler {
		if c.Power == 0 || c.Power == 1 {
			return u
		}
		return LateTimes{Of: u, Power: c.Power}
	}},
	{"logit-normal", func(u TimeSampler, _ TimesConfig) TimeSampler { return LogitNormalTimes{Of: u} }},
}

// Times are the names of the distributions, the default first.
func Times() []string {
	var names []string
	for _, d := range distributions {
		names = append(names, d.name)
	}
	return names
}

// NewTimes makes a sampler of times.
func NewTimes(c TimesConfig) (TimeSampler, error) {
	if c.Name == "" {
		c.Name = distributions[0].name
	}
	if c.Power != 0 && c.Power != 1 && c.Name != distributions[0].name {
		return nil, fmt.Errorf("%s: a power is of uniform times", c.Name)
	}
	var u TimeSampler = UniformTimes{}
	if c.Stratified {
		u = StratifiedTimes{}
	}
	for _, d := range distributions {
		if d.name == c.Name {
			return d.make(u, c), nil
		}
	}
	return nil, fmt.Errorf("%q is no distribution of times: %s", c.Name, strings.Join(Times(), ", "))
}
