package page

import (
	"sync"

	"flowmatch/trainer/pretrained"
)

// included are the models that are part of the program. They are shown where the output
// folder has none of their kind, so that whoever comes first sees something at once.
var included = sync.OnceValue(func() []Model {
	var all []Model
	for _, rectified := range []bool{false, true} {
		for _, name := range pretrained.Names(rectified) {
			ck, err := pretrained.Open(name, rectified)
			if err != nil {
				continue // a test of the package's own opens them all
			}
			m := Model{ID: "pretrained/" + name, Set: name, Family: "pretrained"}
			if rectified {
				m.ID, m.Family = m.ID+"-reflow", "pretrained-reflow"
			}
			m.fill(ck.Record)
			all = append(all, m)
		}
	}
	for i, m := range all {
		for _, o := range all {
			if m.Family == "pretrained" && o.Family == "pretrained-reflow" && o.Set == m.Set {
				all[i].Partner = o.ID
			}
		}
	}
	return all
})

// withIncluded adds them to the models of the output folder.
func withIncluded(have []Model) []Model {
	kinds := map[string]bool{}
	for _, m := range have {
		kinds[m.Kind] = kinds[m.Kind] || m.Problem == ""
	}
	for _, m := range included() {
		if !kinds[m.Kind] {
			have = append(have, m)
		}
	}
	return have
}
