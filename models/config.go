package models

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wangkuiyi/gotorch/strictjson"
)

// Config describes a network: all that is needed to build it. As JSON it is the
// "model" of a checkpoint's record, whose "kind" is Kind.
type Config interface {
	Kind() string // "unet"
	// Check says what is wrong with the configuration.
	Check() error
	// Build makes the network on the CPU, its numbers drawn from libtorch's default
	// generator.
	Build() (Network, error)

	SampleShape() []int64 // of what moves: [C,H,W] of images, [D] of points
	Classes() int         // the null class not counted; 0: the network takes no labels
	HasNullClass() bool   // label Classes() stands for "no class"
	HasDropout() bool     // the network draws random numbers of its own in training

	// LeastParameters is a number that the network's parameters are not below, and
	// mostly within a few times of: what it costs to build is known without building.
	LeastParameters() float64
	// SampleBytes is about the largest layer's output for a sample, in float32.
	SampleBytes() int
}

// kinds are the networks there are. A new one is a line here.
var kinds = map[string]func(raw []byte) (Config, error){
	MLPConfig{}.Kind():  parse[MLPConfig],
	UNetConfig{}.Kind(): parse[UNetConfig],
}

// ParseConfig reads the configuration of a network of a kind, strictly, and
// checks it.
func ParseConfig(kind string, raw []byte) (Config, error) {
	read, ok := kinds[kind]
	if !ok {
		var known []string
		for k := range kinds {
			known = append(known, k)
		}
		slices.Sort(known)
		return nil, fmt.Errorf("a network of kind %q is not known here: only %s", kind, strings.Join(known, ", "))
	}
	return read(raw)
}

func parse[C interface {
	Config
	Defaults() C
}](raw []byte) (Config, error) {
	var c C
	if err := strictjson.Unmarshal(raw, &c); err != nil {
		return nil, err
	}
	c = c.Defaults()
	return c, c.Check()
}

// built is a network of its own type as one of any.
func built[N Network](n N, err error) (Network, error) {
	if err != nil {
		return nil, err
	}
	return n, nil
}

// Remarks are what a user of the network should know of it, a line each.
func Remarks(c Config) []string {
	if r, ok := c.(interface{ Remarks() []string }); ok {
		return r.Remarks()
	}
	return nil
}
