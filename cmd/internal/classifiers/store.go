package classifiers

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/atomicfile"
	"github.com/wangkuiyi/gotorch/safetensors"
	"github.com/wangkuiyi/gotorch/strictjson"
	"github.com/wangkuiyi/gotorch/weights"

	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
	"flowmatch/flow/metrics"
	"flowmatch/models"
)

// Store is a folder of classifiers, one file a set.
type Store struct {
	Dir      string
	Device   torch.Device
	Note     func(string)       // a line for the user; may be nil
	Progress func(done, of int) // steps of training; may be nil
}

// record is what a file says of itself.
type record struct {
	Format  int    `json:"format"`
	Kind    string `json:"kind"` // "classifier"
	Version int    `json:"version"`
	Shape   []int  `json:"shape"`
	Classes int    `json:"classes"`
	Images  int    `json:"images"`
	Data    string `json:"data"` // SHA-256 of their pixels and labels
}

func recordOf(fit *datasets.Images) record {
	sum := sha256.New()
	sum.Write(fit.Pixels)
	sum.Write(fit.Labels)
	return record{1, "classifier", metrics.ClassifierVersion, fit.Shape[:], fit.Classes(), fit.Len(), fmt.Sprintf("%x", sum.Sum(nil))}
}

// differs says in words what of r is not as wanted, or "".
func (r record) differs(want record) string {
	switch {
	case r.Kind != want.Kind:
		return "it is no classifier"
	case r.Version != want.Version:
		return fmt.Sprintf("it is of version %d, this is %d", r.Version, want.Version)
	case !slices.Equal(r.Shape, want.Shape) || r.Classes != want.Classes:
		return fmt.Sprintf("it is for images of %v in %s, these are %v in %d", r.Shape, terminal.Counted(r.Classes, "class"), want.Shape, want.Classes)
	case r.Images != want.Images:
		return fmt.Sprintf("it was trained on %s, now there are %s", terminal.Counted(r.Images, "image"), terminal.Count(int64(want.Images)))
	case r.Data != want.Data:
		return "it was trained on other images"
	}
	return ""
}

// Path is the file of a set.
func (s Store) Path(in datasets.Info) string {
	return filepath.Join(s.Dir, in.Slug()+".safetensors")
}

// Get is the classifier for the set whose images fit are: from its file, or trained
// now and then kept. A file that cannot be written is noted, not an error.
func (s Store) Get(ctx context.Context, fit *datasets.Images) (*metrics.Classifier, error) {
	want, path := recordOf(fit), s.Path(fit.Info)
	config := metrics.ClassifierConfig{Channels: fit.Shape[0], Size: fit.Shape[1], Classes: fit.Classes()}
	m, err := s.read(path, want, config)
	if err == nil {
		return m, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		s.note(fmt.Sprintf("the classifier is trained anew: %v", err))
	}
	m, err = metrics.ClassifierTraining{Config: config, Set: labelled{fit}, Device: s.Device, Progress: s.Progress}.Train(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.write(path, want, m); err != nil {
		s.note(fmt.Sprintf("the classifier was not kept, and will be trained again: %v", err))
	}
	return m, nil
}

func (s Store) note(text string) {
	if s.Note != nil {
		s.Note(text)
	}
}

func (s Store) read(path string, want record, config metrics.ClassifierConfig) (*metrics.Classifier, error) {
	file, err := safetensors.Read(path)
	if err != nil {
		return nil, err
	}
	var have record
	if file.Record == nil {
		return nil, fmt.Errorf("%s: %w: it has no record", path, weights.ErrDamaged)
	}
	if err := strictjson.Unmarshal(file.Record, &have); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if why := have.differs(want); why != "" {
		return nil, fmt.Errorf("%s: %s", path, why)
	}
	m, err := metrics.NewClassifier(config)
	if err != nil {
		return nil, err
	}
	if err := models.Load(m, file.Tensors); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	m.To(s.Device)
	m.Train(false)
	return m, nil
}

func (s Store) write(path string, r record, m *metrics.Classifier) error {
	if err := atomicfile.OutputFolder(s.Dir); err != nil {
		return err
	}
	tensors, err := models.Weights(m)
	if err != nil {
		return err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return atomicfile.Replace(path, func(w io.Writer) error {
		return safetensors.Write(w, &weights.File{Tensors: tensors, Record: text})
	})
}
