package trainer

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wangkuiyi/gotorch/strictjson"

	"flowmatch/datasets"
	"flowmatch/models"
)

// Version of flowmatch, written into checkpoints.
const Version = "0.1.0"

// Record is what a checkpoint says of itself (extra/flowmatch.json). It has no
// times and no paths: equal runs give equal files.
type Record struct {
	Format   int               `json:"format"`
	Kind     string            `json:"kind"`  // "unet" or "mlp"
	Model    json.RawMessage   `json:"model"` // the network's configuration
	Dataset  DatasetRecord     `json:"dataset"`
	Training TrainingRecord    `json:"training"`
	MadeBy   map[string]string `json:"made_by"`
}

// DatasetRecord describes the data of a run.
type DatasetRecord struct {
	Name       string   `json:"name"`
	Shape      []int    `json:"shape"`
	Classes    int      `json:"classes"`
	ClassNames []string `json:"class_names"`
	Levels     int      `json:"levels"`
	// Frame is where the points of a user's file were laid for the flow.
	Frame *datasets.Frame `json:"frame,omitempty"`
	// Data tells data of one name apart: a SHA-256 of what it holds. See
	// datasets.Info.
	Data string `json:"data,omitempty"`
	// Before is what a run was trained on that went on with other data, oldest first.
	Before []DataBefore `json:"before,omitempty"`
}

// Describe is what files say of a set. A user's own files have their name there, and no path.
func Describe(in datasets.Info) DatasetRecord {
	name := in.Name
	if strings.Contains(name, ":") {
		name = in.Slug()
	}
	return DatasetRecord{Name: name, Shape: in.Shape, Classes: in.Classes(), ClassNames: in.ClassNames, Levels: in.Levels, Frame: in.Frame, Data: in.Data}
}

// DataBefore is data that a run no longer has.
type DataBefore struct {
	Data  string `json:"data"`
	Steps int    `json:"steps"` // of the run when it changed
}

// TrainingRecord tells how far a run has come.
type TrainingRecord struct {
	Recipe        string `json:"recipe"`
	Configuration Config `json:"configuration"`
	Step          int    `json:"step"`
	Seed          int64  `json:"seed"`
}

// ParseRecord reads a record strictly.
func ParseRecord(b []byte) (*Record, error) {
	var r Record
	if err := strictjson.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("the record: %w", err)
	}
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("the record: %w", err)
	}
	return &r, nil
}

// check finds what no run of ours would write: what is said of the set, the network and
// the run has to fit together.
func (r *Record) check() error {
	if err := r.Dataset.Frame.Check(); err != nil {
		return err
	}
	if err := r.checkNames(); err != nil {
		return err
	}
	network, err := r.Network()
	if err != nil {
		return err
	}
	if err := asWritten(r.Model, network); err != nil {
		return err
	}
	d, t := r.Dataset, r.Training
	points := len(d.Shape) == 1
	switch {
	case d.Shape == nil && d.Classes == 0: // of a program that says nothing of its set
	case !slices.Equal(d.Shape, ints(network.SampleShape())):
		return fmt.Errorf("a network for samples of %v numbers, and the set %q of shape %.100v", network.SampleShape(), d.Name, fmt.Sprint(d.Shape))
	case d.Classes != len(d.ClassNames):
		return fmt.Errorf("%d classes with %d names", d.Classes, len(d.ClassNames))
	case len(slices.Compact(slices.Sorted(slices.Values(d.ClassNames)))) != len(d.ClassNames):
		return fmt.Errorf("two of %d classes have the same name", d.Classes)
	case network.Classes() > 0 && d.Classes > 0 && network.Classes() != d.Classes:
		return fmt.Errorf("a network for %d classes, and the set %q of %d", network.Classes(), d.Name, d.Classes)
	case points && d.Levels != 0, !points && (d.Levels < 2 || d.Levels > 1<<16):
		return fmt.Errorf("pixels of %d levels, and the set %q of shape %v", d.Levels, d.Name, d.Shape)
	case !points && d.Frame != nil:
		return fmt.Errorf("a frame of points, and the set %q of shape %v", d.Name, d.Shape)
	}
	switch {
	case t.Recipe != t.Configuration.Recipe, t.Seed != t.Configuration.Seed:
		return fmt.Errorf("recipe %q and seed %d, and %q and %d in the configuration", t.Recipe, t.Seed, t.Configuration.Recipe, t.Configuration.Seed)
	case t.Step < 0 || t.Step > t.Configuration.Iterations:
		return fmt.Errorf("step %d of a run of %d steps", t.Step, t.Configuration.Iterations)
	}
	before := 0
	for _, b := range d.Before {
		if b.Steps < before || b.Steps > t.Step {
			return fmt.Errorf("other data until step %d, and the run is at step %d", b.Steps, t.Step)
		}
		before = b.Steps
	}
	return t.Configuration.Check()
}

// longestName is of a set or a class, in letters: a file system's longest name has 255 bytes,
// and a word of ours stands before it.
const longestName = 300

// checkNames finds names that no set has, for they are shown and drawn. A class may be called
// whatever a folder is, so that whoever shows its name has to look at it.
func (r *Record) checkNames() error {
	for _, name := range []string{r.Dataset.Name, r.Training.Recipe} {
		if Printable(name) != name {
			return fmt.Errorf("the name %.60q has control characters", name)
		}
	}
	all := append([]string{r.Dataset.Name, r.Training.Recipe}, r.Dataset.ClassNames...)
	for _, by := range slices.Sorted(maps.Keys(r.MadeBy)) {
		all = append(all, by, r.MadeBy[by])
	}
	if c := r.Training.Configuration.Reflow; c != nil {
		all = append(all, c.Teacher, c.Solver, c.Guidance)
	}
	for _, name := range all {
		if n := utf8.RuneCountInString(name); n > longestName {
			return fmt.Errorf("the name %.60q... of %d letters: at most %d", name, n, longestName)
		}
	}
	return nil
}

// asWritten finds what is said of a network and not read, or read as something else: an
// unknown field, or nothing where there is a default.
func asWritten(model json.RawMessage, network models.Config) error {
	var said, read map[string]any
	if err := json.Unmarshal(model, &said); err != nil {
		return fmt.Errorf("the network: %w", err)
	}
	if err := json.Unmarshal(mustJSON(network), &read); err != nil {
		return fmt.Errorf("the network: %w", err)
	}
	for _, field := range slices.Sorted(maps.Keys(said)) {
		if v, known := read[field]; !known || !reflect.DeepEqual(v, said[field]) {
			return fmt.Errorf("the network's %.60q is %.60s, which is no configuration of a network of kind %s", field, fmt.Sprint(said[field]), network.Kind())
		}
	}
	return nil
}

func ints(shape []int64) (out []int) {
	for _, n := range shape {
		out = append(out, int(n))
	}
	return out
}

// Network is the configuration of the record's network.
func (r *Record) Network() (models.Config, error) {
	c, err := models.ParseConfig(r.Kind, r.Model)
	if err != nil {
		return nil, fmt.Errorf("the record's network: %w", err)
	}
	return c, nil
}
