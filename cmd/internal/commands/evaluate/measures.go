package evaluate

import (
	"slices"
	"strings"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/kinds"
	"flowmatch/datasets"
)

// measure is what --measures can choose, with the results that it gives.
type measure struct {
	name    string
	keys    []string         // of the JSON
	of      kinds.Each[bool] // the sets that it is for
	classes bool             // it is for models with classes
	labels  bool             // it is for sets with classes
	least   int              // test images that it needs
}

// What measures are for.
var (
	points = kinds.Each[bool]{Points: true}
	images = kinds.Each[bool]{Images: true}
	both   = kinds.Each[bool]{Points: true, Images: true}
)

// allMeasures are in the order in which they are taken.
var allMeasures = []measure{
	{name: "sw2", keys: []string{"sw2", "sw2_floor"}, of: points},
	{name: "straightness", keys: []string{"straightness"}, of: both},
	{name: "nll", keys: []string{"nll", "nll_stderr"}, of: points},
	{name: "nll_exact", keys: []string{"nll_exact"}, of: points},
	{name: "as_asked", keys: []string{"as_asked", "classifier_accuracy"}, of: images, classes: true, labels: true, least: 1},
	{name: "frechet", keys: []string{"frechet", "classifier_accuracy"}, of: images, labels: true, least: 2},
	{name: "bits_per_dim", keys: []string{"bits_per_dim", "bits_per_dim_stderr"}, of: images, least: 2},
}

func measureNames() []string {
	var names []string
	for _, m := range allMeasures {
		names = append(names, m.name)
	}
	return names
}

// why says why a measure does not apply to a set and a model on it, or "".
func (m measure) why(in datasets.Info, modelClasses int) string {
	switch {
	case !m.of.Of(in):
		return in.Name + " is " + kinds.Of(in).What
	case m.labels && in.Classes() < 2:
		return in.Name + " has no two classes"
	case m.classes && modelClasses == 0:
		return "the model has no classes"
	}
	return ""
}

// selection is what --measures says; nil is all.
type selection []string

// parseMeasures reads "sw2,nll", or "all".
func parseMeasures(list string) (selection, error) {
	if list == "all" {
		return nil, nil
	}
	var out selection
	for _, w := range strings.Split(list, ",") {
		w = strings.TrimSpace(w)
		if !slices.Contains(measureNames(), w) {
			return nil, unknown("--measures", w, measureNames())
		}
		out = append(out, w)
	}
	return out, nil
}

// unknown is wrong use of a name that is none of those known.
func unknown(flag, name string, known []string) error {
	if near := datasets.Closest(name, known); near != "" {
		return cli.Usagef("%s: %q is unknown: did you mean %s?", flag, name, near)
	}
	return cli.Usagef("%s: %q is unknown: %s", flag, name, strings.Join(known, ", "))
}

// choose gives the names of the measures to take. One that was named and does not
// apply is wrong use.
func (s selection) choose(in datasets.Info, modelClasses int) (map[string]bool, error) {
	names := map[string]bool{}
	for _, m := range allMeasures {
		why := m.why(in, modelClasses)
		named := slices.Contains(s, m.name)
		if named && why != "" {
			return nil, cli.Usagef("--measures %s: %s", m.name, why)
		}
		if (s == nil || named) && why == "" {
			names[m.name] = true
		}
	}
	return names, nil
}

// leftOut says which measures for sets of this kind are not taken because the
// set or the model lacks something, where all were to be taken.
func (s selection) leftOut(in datasets.Info, modelClasses int) []string {
	var notes []string
	for _, m := range allMeasures {
		if why := m.why(in, modelClasses); s == nil && m.of.Of(in) && why != "" {
			notes = append(notes, m.name+" is left out: "+why)
		}
	}
	return notes
}
