package cli

import (
	"cmp"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"flowmatch/datasets"
)

const ofTraining = "train has it, and the checkpoint says it to the other commands; "

// elsewhere are flags that people look for on all commands, and where they are.
var elsewhere = map[string]string{
	"coupling":       ofTraining + "a student of reflow learns its teacher's pairs",
	"path":           ofTraining + "a student of reflow goes on straight lines",
	"stable-targets": ofTraining + "a student of reflow learns its teacher's pairs",
	"time-power":     ofTraining + "a student of reflow learns at even times",
	"times":          ofTraining + "a student of reflow learns at even times, one of --distill at t = 0",

	"pretrained": "the models that are part of the program are for sample, reflow, evaluate and compare",
}

// otherNames are what other programs call our flags: of those that a command has, the
// first is meant.
var otherNames = map[string][]string{
	"amp":                         {"precision"},
	"autocast":                    {"precision"},
	"bf16":                        {"precision"},
	"bs":                          {"batch-size"},
	"cfg":                         {"guidance"},
	"cfg-scale":                   {"guidance"},
	"ckpt":                        {"checkpoint", "init-from"},
	"clip":                        {"grad-clip"},
	"cpu":                         {"device"},
	"cuda":                        {"device"},
	"data":                        {"dataset"},
	"dim":                         {"hidden-dim"},
	"dtype":                       {"precision"},
	"fp16":                        {"precision"},
	"fp32":                        {"precision"},
	"gpu":                         {"device"},
	"gradient-accumulation-steps": {"accumulate"},
	"hidden":                      {"hidden-dim"},
	"hidden-size":                 {"hidden-dim"},
	"input":                       {"dataset"},
	"jobs":                        {"threads"},
	"load":                        {"checkpoint", "init-from"},
	"lr":                          {"learning-rate"},
	"max-iter":                    {"iterations"},
	"max-iters":                   {"iterations"},
	"model":                       {"checkpoint", "pretrained", "network"},
	"n":                           {"num-samples"},
	"n-iter":                      {"iterations"},
	"n-samples":                   {"num-samples"},
	"name":                        {"dataset"},
	"nfe":                         {"steps"},
	"num-iterations":              {"iterations"},
	"num-steps":                   {"iterations", "steps"},
	"num-workers":                 {"threads"},
	"o":                           {"output-dir"},
	"out":                         {"output-dir"},
	"out-dir":                     {"output-dir"},
	"outdir":                      {"output-dir"},
	"output":                      {"output-dir"},
	"overwrite":                   {"fresh", "force"},
	"resolution":                  {"image-size"},
	"restart":                     {"fresh"},
	"root":                        {"data-dir"},
	"sampler":                     {"method"},
	"samples":                     {"num-samples"},
	"save-dir":                    {"output-dir"},
	"scheduler":                   {"schedule"},
	"set":                         {"dataset"},
	"size":                        {"image-size"},
	"solver":                      {"method", "solvers"},
	"steps":                       {"iterations"},
	"train-steps":                 {"iterations"},
	"wd":                          {"weight-decay"},
	"weights":                     {"checkpoint", "init-from"},
	"workers":                     {"threads"},
}

// nearest is the flag that a word may have been meant for, or "".
func (c *Command) nearest(word string) string {
	word = strings.ReplaceAll(strings.TrimLeft(word, "-"), "_", "-")
	var names []string
	c.root.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if slices.Contains(names, word) { // with one hyphen
		return word
	}
	for _, name := range otherNames[word] {
		if slices.Contains(names, name) {
			return name
		}
	}
	if len(word) < 3 { // as near to any other
		return ""
	}
	// A part of a name is meant for that, the shortest of them.
	parts := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !strings.Contains("-"+name, "-"+word) })
	if len(parts) > 0 {
		return slices.MinFunc(parts, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	}
	return datasets.Closest(word, names)
}

// instead says what flag a word without one may have been meant for.
func (c *Command) instead(word string) string {
	flags := c.root.Flags()
	if ending := filepath.Ext(word); flags.Lookup("checkpoint") != nil && (ending == ".pth" || ending == ".safetensors") {
		return "did you mean --checkpoint " + word + "?"
	}
	if flags.Lookup("dataset") != nil {
		_, err := datasets.Lookup(word)
		var unknown *datasets.UnknownError
		switch {
		case !errors.As(err, &unknown):
			return "did you mean --dataset " + word + "?"
		case len(unknown.Nearest) > 0:
			return "did you mean --dataset " + unknown.Nearest[0] + "?"
		}
	}
	return "all of " + c.Name + "'s arguments are flags"
}
