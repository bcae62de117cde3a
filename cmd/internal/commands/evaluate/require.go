package evaluate

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"flowmatch/cmd/internal/cli"
	"flowmatch/datasets"
)

// requirement is a bound on a result: "sw2<=0.07".
type requirement struct {
	key, op string
	bound   float64
}

func (r requirement) String() string { return r.key + r.op + strconv.FormatFloat(r.bound, 'g', -1, 64) }

// holds compares a result with the bound.
func (r requirement) holds(v float64) bool {
	switch r.op {
	case "<=":
		return v <= r.bound
	case ">=":
		return v >= r.bound
	case "<":
		return v < r.bound
	}
	return v > r.bound
}

// requirableKeys are the results that can be required.
func requirableKeys() []string {
	keys := []string{"entropy", "nfe"}
	for _, m := range allMeasures {
		for _, k := range m.keys {
			if !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	return keys
}

// parseRequirements reads "sw2<=0.07,nll<=3.8".
func parseRequirements(list string) ([]requirement, error) {
	if list == "" {
		return nil, nil
	}
	var out []requirement
	for _, w := range strings.Split(list, ",") {
		at := strings.IndexAny(w, "<>")
		if at < 0 {
			return nil, cli.Usagef("--require %q: a name, one of <= >= < >, and a number, as in sw2<=0.07", w)
		}
		r := requirement{key: strings.TrimSpace(w[:at]), op: w[at : at+1]}
		rest := w[at+1:]
		if after, ok := strings.CutPrefix(rest, "="); ok {
			r.op, rest = r.op+"=", after
		}
		if !slices.Contains(requirableKeys(), r.key) {
			return nil, unknown("--require", r.key, requirableKeys())
		}
		var err error
		if r.bound, err = strconv.ParseFloat(strings.TrimSpace(rest), 64); err != nil || math.IsNaN(r.bound) {
			return nil, cli.Usagef("--require %q: %q is no number", w, strings.TrimSpace(rest))
		}
		out = append(out, r)
	}
	return out, nil
}

// checkChosen refuses requirements on results that there will not be.
func checkChosen(rs []requirement, chosen map[string]bool, in datasets.Info, modelClasses int, entropyKnown bool) error {
	for _, r := range rs {
		if r.key == "entropy" {
			if !entropyKnown {
				return cli.Usagef("--require %s: the entropy of %s is not known", r, in.Name)
			}
			continue
		}
		why, found := "", r.key == "nfe" && (chosen["sw2"] || chosen["as_asked"] || chosen["frechet"])
		for _, m := range allMeasures {
			if !slices.Contains(m.keys, r.key) {
				continue
			}
			found = found || chosen[m.name]
			if why = m.why(in, modelClasses); why == "" {
				why = "--measures leaves it out"
			}
		}
		if r.key == "nfe" {
			why = "nothing that is measured depends on the solver"
		}
		if !found {
			return cli.Usagef("--require %s: %s", r, why)
		}
	}
	return nil
}

// failures says which requirements do not hold, and where, or "".
func failures(rs []requirement, r *report) string {
	var parts []string
	for _, q := range rs {
		var bad []string
		for _, v := range r.values(q.key) {
			if !q.holds(v.value) {
				bad = append(bad, strings.TrimSpace(fmt.Sprintf("%s %.5g", v.entry, v.value)))
			}
		}
		if len(bad) > 0 {
			parts = append(parts, fmt.Sprintf("%s (%s)", q, strings.Join(bad, ", ")))
		}
	}
	if parts == nil {
		return ""
	}
	return "required and not so: " + strings.Join(parts, "; ")
}
