package modelfile

import (
	"path/filepath"
	"strings"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/training"
	"flowmatch/datasets"
	"flowmatch/datasets/plane"
	"flowmatch/trainer/trained"
)

// CheckFound refuses to open the set of a model that was trained on a user's own files, of
// which the record alone tells: it does not know where they are.
func CheckFound(m *trained.Model) error {
	lost := datasets.Lost(m.Info.Name)
	if lost == "" {
		return nil
	}
	what := "file"
	if strings.HasSuffix(lost, ":DIR") {
		what = "folder"
	}
	return cli.Usagef("%s was trained on a %s of yours, and does not know where it is: name it by --dataset %s", m.Checkpoint.Path, what, lost)
}

// Open2D opens the points that a model of points is measured by, as the model takes
// them. say tells what the user should know of the difference between these and
// those that it was trained on.
func Open2D(m *trained.Model, say func(string, ...any)) (*plane.Set, error) {
	if err := CheckFound(m); err != nil {
		return nil, err
	}
	set, err := plane.OpenIn(m.Info.Name, m.Info.Frame)
	if err != nil {
		return nil, err
	}
	if other := m.OtherSet(); other != "" {
		say("note: %s was trained on %s, and is measured by %s", m.Checkpoint.Path, other, m.Info.Name)
	} else if m.Info.Data != "" && m.Info.Data != set.Data {
		say("note: %s is not what the model was trained on: the file has changed, or another one has its name", m.Info.Name)
	}
	return set, nil
}

// CompareData tells once what of the images that a model is measured by is not what it
// was trained on. They are those of the training part, with their files, and their
// classes as the model has them.
func CompareData(m *trained.Model, im *datasets.Images, say func(string, ...any)) {
	r := m.Checkpoint.Record
	if r == nil {
		return
	}
	if other := m.OtherSet(); other != "" {
		say("note: %s was trained on %s, and is measured by %s", m.Checkpoint.Path, other, m.Info.Name)
		return
	}
	if what := training.Changes(filepath.Dir(m.Checkpoint.Path), r.Dataset, im.Info, im.Files); what != "" {
		say("note: %s is not what the model was trained on: %s", m.Info.Name, what)
	}
}
