package trainer

import (
	"encoding/json"
	"sort"
)

// Difference is a field that two configurations do not agree on.
type Difference struct {
	Field    string // its name in JSON
	Now, Was string // its values there, "" where it is not set
}

// Differences are the fields in which two configurations of any kind (Config, a
// network's) differ, by name.
func Differences(now, was any) []Difference {
	a, b := fields(now), fields(was)
	for k := range b {
		if _, ok := a[k]; !ok {
			a[k] = ""
		}
	}
	var out []Difference
	for k := range a {
		if a[k] != b[k] {
			out = append(out, Difference{k, a[k], b[k]})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Field < out[j].Field })
	return out
}

func fields(v any) map[string]string {
	b, _ := json.Marshal(v)
	out := map[string]string{}
	flatten(b, out)
	return out
}

// flatten lists the members of an object, and those of objects in it.
func flatten(b []byte, out map[string]string) {
	var m map[string]json.RawMessage
	_ = json.Unmarshal(b, &m)
	for k, raw := range m {
		if raw[0] == '{' {
			flatten(raw, out)
			continue
		}
		out[k] = string(raw)
	}
}
