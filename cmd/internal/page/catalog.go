package page

import (
	"fmt"
	"slices"
	"sync"

	"flowmatch/trainer"
)

// Model is a trained model as the page lists it.
type Model struct {
	ID         string   `json:"id"`   // "cfm/moons"
	Kind       string   `json:"kind"` // "points" or "images"
	Set        string   `json:"set"`
	Family     string   `json:"family"` // of families, "pretrained" or "drawn"
	OneStep    bool     `json:"one_step,omitempty"`
	Step       int      `json:"step,omitempty"`
	Total      int      `json:"total,omitempty"`
	Updated    int64    `json:"updated,omitempty"` // milliseconds since 1970
	Aside      bool     `json:"aside,omitempty"`   // of a run that was moved out of the way
	Shape      []int    `json:"shape"`
	Classes    int      `json:"classes,omitempty"`
	Null       bool     `json:"null,omitempty"` // it can be guided
	Problem    string   `json:"problem,omitempty"`
	Partner    string   `json:"partner,omitempty"` // the model that was rectified from it
	file       string   // in the output folder, or ""
	made       string   // of a drawing: the command that trains on it
	ClassNames []string `json:"class_names,omitempty"`
}

// catalog knows the models of the output folder. Records are read once.
type catalog struct {
	outputs outputs

	mu   sync.Mutex
	read map[string]listed
}

type listed struct {
	stamp stamp
	model Model
}

// largestRead bounds the checkpoints that are read in order to be listed.
const largestRead = 2 << 30

// models lists the models of folders.
func (c *catalog) models(folders []folder) []Model {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.read == nil {
		c.read = map[string]listed{}
	}
	all := []Model{}
	for _, d := range folders {
		in, ok := d.files[trainer.CheckpointFile]
		if !ok || in.Size() > largestRead {
			continue
		}
		known, ok := c.read[d.id]
		if !ok || known.stamp != stampOf(in) {
			known = listed{stampOf(in), c.describe(d)}
			known.model.Updated = in.ModTime().UnixMilli()
			c.read[d.id] = known
		}
		all = append(all, known.model)
	}
	for i, m := range all {
		rectified := func(o Model) bool { return o.ID == "reflow/"+m.Set && o.Problem == "" && o.Kind == m.Kind }
		if m.Family == "cfm" && slices.ContainsFunc(all, rectified) {
			all[i].Partner = "reflow/" + m.Set
		}
	}
	return all
}

// describe reads a checkpoint's record.
func (c *catalog) describe(d folder) Model {
	m := Model{ID: d.id, Set: d.set, Family: d.family, Aside: d.aside(), file: d.id + "/" + trainer.CheckpointFile}
	path, err := c.outputs.real(m.file)
	if err != nil {
		m.Problem = plain(err)
		return m
	}
	ck, err := trainer.ReadCheckpoint(path)
	if err != nil {
		m.Problem = plain(err)
		return m
	}
	if ck.Record == nil {
		m.Problem = "it has no record of its network"
		return m
	}
	m.fill(ck.Record)
	return m
}

// show makes the names such as can be shown. The ID stays: the page asks by it.
func (m *Model) show() {
	m.Set = shownName(m.Set)
	m.ClassNames = slices.Clone(m.ClassNames) // the catalog's are those of the commands
	for c, name := range m.ClassNames {
		m.ClassNames[c] = shownName(name)
	}
}

// longestName is how much of a name the page shows, in letters.
const longestName = 60

func shownName(name string) string {
	name = trainer.Printable(name)
	if letters := []rune(name); len(letters) > longestName {
		name = string(letters[:longestName-1]) + "…"
	}
	return name
}

// fill takes over what a record says.
func (m *Model) fill(r *trainer.Record) {
	net, err := r.Network()
	if err != nil {
		m.Problem = plain(err)
		return
	}
	m.Kind = "images"
	for _, n := range net.SampleShape() {
		m.Shape = append(m.Shape, int(n))
	}
	switch {
	case len(m.Shape) == 1 && m.Shape[0] == 2:
		m.Kind = "points"
	case len(m.Shape) != 3:
		m.Problem = fmt.Sprintf("samples of %v are neither points nor pictures", m.Shape)
	}
	m.Classes, m.Null, m.ClassNames = net.Classes(), net.HasNullClass(), r.Dataset.ClassNames
	m.Step, m.Total = r.Training.Step, r.Training.Configuration.Iterations
	reflow := r.Training.Configuration.Reflow
	m.OneStep = reflow != nil && reflow.Distill
}
