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
	"syscall"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/atomicfile"
	"github.com/wangkuiyi/gotorch/safetensors"
	"github.com/wangkuiyi/gotorch/strictjson"
	"github.com/wangkuiyi/gotorch/weights"

	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
	"flowmatch/flow/metrics"
	"flowmatch/models"
	"flowmatch/trainer"
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
	// Right is how many of the first images, at most tried, it named rightly when its training ended.
	Right int `json:"right"`
}

// tried are the images that a classifier is tried on when it is opened.
const tried = 1000

func recordOf(fit *datasets.Images) record {
	sum := sha256.New()
	sum.Write(fit.Pixels)
	sum.Write(fit.Labels)
	return record{1, "classifier", metrics.ClassifierVersion, fit.Shape[:], fit.Classes(), fit.Len(), fmt.Sprintf("%x", sum.Sum(nil)), 0}
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
	case r.Right == 0:
		return "it does not say how many images it named rightly"
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
	m, err := s.read(ctx, path, want, config, fit)
	if err == nil {
		return m, nil
	}
	if err := s.passOver(ctx, path, err); err != nil {
		return nil, err
	}
	m, err = metrics.ClassifierTraining{Config: config, Set: labelled{fit}, Device: s.Device, Progress: s.Progress}.Train(ctx)
	if err != nil {
		return nil, err
	}
	if want.Right, err = try(ctx, m, fit); err != nil {
		return nil, fmt.Errorf("the classifier that was trained now: %w", err)
	}
	if err := s.write(path, want, m); err != nil {
		s.note(fmt.Sprintf("the classifier was not kept, and will be trained again: %v", err))
	}
	return m, nil
}

// outdated is a whole classifier that is not of these images.
type outdated struct{ why string }

func (e *outdated) Error() string { return e.why }

// passOver says why a file is not used. One that is no classifier is kept under another
// name; one that cannot be read now may be whole, and is an error.
func (s Store) passOver(ctx context.Context, path string, why error) error {
	var other *outdated
	var unread *fs.PathError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(why, fs.ErrNotExist), errors.Is(why, syscall.ENOTDIR):
		return nil
	case errors.As(why, &other):
		s.note(fmt.Sprintf("the classifier is trained anew: %v", why))
		return nil
	case errors.As(why, &unread):
		return fmt.Errorf("the classifier cannot be read: %w", why)
	}
	kept, err := trainer.SetAside(path)
	if err != nil {
		s.note(fmt.Sprintf("the classifier is trained anew: %v", why))
		return err
	}
	s.note(fmt.Sprintf("the classifier is trained anew: %v; kept as %s", why, kept))
	return nil
}

// try counts the images that a classifier names rightly, of the first that it was trained
// on. It must give numbers for each.
func try(ctx context.Context, m *metrics.Classifier, fit *datasets.Images) (right int, err error) {
	x, y := All(fit)
	n := min(tried, fit.Len())
	j, err := m.Judge(ctx, x[:n*fit.Dim()])
	if err != nil {
		return 0, err
	}
	if slices.ContainsFunc(j.Features, func(v float32) bool { return v-v != 0 }) {
		return 0, errors.New("what it sees in images is not finite")
	}
	for i, label := range j.Labels {
		if label == y[i] {
			right++
		}
	}
	return right, nil
}

func (s Store) note(text string) {
	if s.Note != nil {
		s.Note(text)
	}
}

func (s Store) read(ctx context.Context, path string, want record, config metrics.ClassifierConfig, fit *datasets.Images) (*metrics.Classifier, error) {
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
	if have.Kind != want.Kind {
		return nil, fmt.Errorf("%s: %s", path, have.differs(want))
	}
	if why := have.differs(want); why != "" {
		return nil, fmt.Errorf("%s: %w", path, &outdated{why})
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
	right, err := try(ctx, m, fit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	// Another device may round some images to another class.
	if n := min(tried, fit.Len()); right < have.Right-max(1, n/100) {
		return nil, fmt.Errorf("%s: it names %d of %d images rightly, and named %d when it was trained", path, right, n, have.Right)
	}
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
