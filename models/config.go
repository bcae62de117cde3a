package models

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wangkuiyi/gotorch/strictjson"
	"github.com/wangkuiyi/gotorch/weights"
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
	// WithClasses is the same network for other classes.
	WithClasses(n int, null bool) Config
	HasDropout() bool // the network draws random numbers of its own in training

	// LeastParameters is a number that the network's parameters are not below, and
	// mostly within a few times of: what it costs to build is known without building.
	LeastParameters() float64
	// SampleBytes is about the largest layer's output for a sample, in float32.
	SampleBytes() int
	// WorkBytes is about what evaluating a sample holds at once, in float32.
	WorkBytes() int
}

// kinds are the networks there are. A new one is a line here.
var kinds = map[string]kind{
	MLPConfig{}.Kind():  {parse: parse[MLPConfig]},
	UNetConfig{}.Kind(): {parse[UNetConfig], "label_emb.weight"},
	DiTConfig{}.Kind():  {parse[DiTConfig], "y_embedder.embedding_table.weight"},
}

type kind struct {
	parse  func(raw []byte) (Config, error)
	labels string // the tensor with a row for each class, "" where there is none
}

// LabelRows is the number of classes that weights of a kind of network have a row
// for, the null class counted, 0 for none.
func LabelRows(of string, w *weights.Dict) int64 {
	if t := w.Get(kinds[of].labels); t != nil && len(t.Shape) == 2 {
		return t.Shape[0]
	}
	return 0
}

// KindOf is the kind of network that weights are of, by the names that only one
// has.
func KindOf(w *weights.Dict) string {
	switch {
	case w.Get("x_embedder.proj.weight") != nil:
		return DiTConfig{}.Kind()
	case w.Get("input_blocks.0.0.weight") != nil:
		return UNetConfig{}.Kind()
	}
	return MLPConfig{}.Kind()
}

// ParseConfig reads the configuration of a network of a kind, strictly, and
// checks it.
func ParseConfig(kind string, raw []byte) (Config, error) {
	known, ok := kinds[kind]
	if !ok {
		names := slices.Sorted(maps.Keys(kinds))
		return nil, fmt.Errorf("a network of kind %q is not known here: only %s", kind, strings.Join(names, ", "))
	}
	return known.parse(raw)
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
