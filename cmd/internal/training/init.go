package training

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/cli"
	"flowmatch/datasets"
	"flowmatch/models"
	"flowmatch/trainer"
)

// Init are the weights of --init-from, which a run begins with instead of fresh ones.
type Init struct {
	*trainer.Checkpoint
	changed func(flag string) bool // which flags were given

	filled  models.Network // with the weights; nil until Fill
	classes string         // what became of them
}

// OpenInit reads the file, nil for none.
func OpenInit(path string, changed func(string) bool) (*Init, error) {
	if path == "" {
		return nil, nil
	}
	ck, err := trainer.ReadCheckpoint(path)
	if err != nil {
		return nil, fmt.Errorf("--init-from: %w", err)
	}
	if r := ck.Record; r != nil && r.Training.Configuration.Reflow != nil && r.Training.Configuration.Reflow.Distill {
		return nil, cli.Usagef("--init-from: %s is distilled to one step, and knows no times but 0; give the model that train or reflow made", path)
	}
	return &Init{Checkpoint: ck, changed: changed}, nil
}

// Network is the network of a run on a set that begins with the weights: the file's own
// one for the classes of the set. own is what the flags and their defaults describe: the
// flags that were given must not say otherwise, and where the file has no record they are
// all that is known.
func (i *Init) Network(own models.Config, in datasets.Info) (models.Config, error) {
	if i == nil || i.Record == nil {
		return own, nil
	}
	theirs, err := i.Record.Network()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", i.Path, err)
	}
	if !slices.Equal(theirs.SampleShape(), own.SampleShape()) {
		return nil, i.misfit(theirs.SampleShape(), own.SampleShape(), in)
	}
	if a, b := theirs.Kind(), own.Kind(); a != b && i.changed("network") {
		return nil, cli.Usagef("--network %s: the network of --init-from %s is %s", b, i.Path, a)
	}
	theirs = theirs.WithClasses(own.Classes(), own.HasNullClass())
	if u, ok := own.(models.UNetConfig); ok && i.changed("dropout") {
		if t, ok := theirs.(models.UNetConfig); ok { // it changes no tensor
			t.Dropout = u.Dropout
			theirs = t
		}
	}
	for _, d := range trainer.Differences(own, theirs) {
		if i.changed(strings.ReplaceAll(d.Field, "_", "-")) {
			return nil, cli.Usagef("%s %s: the network of --init-from %s has %s", cli.Flag(d.Field), d.Now, i.Path, orNotSet(d.Was))
		}
	}
	return theirs, cli.AsUsage(theirs.Check())
}

// misfit says what of samples of another shape is different, and what can be done.
func (i *Init) misfit(theirs, own []int64, in datasets.Info) error {
	remedy := "begin with weights of such a model"
	if len(theirs) == len(own) && datasets.TraitsOf(in.Name).Sized {
		remedy = ""
		if theirs[0] != own[0] {
			remedy += fmt.Sprintf(" --image-channels %d", theirs[0])
		}
		if theirs[1] != own[1] {
			remedy += fmt.Sprintf(" --image-size %d", theirs[1])
		}
		remedy = "take them so with" + remedy
	}
	return cli.Usagef("--init-from: %s is a network for %s (%s), and %s has %s: %s", i.Path, kindOf(theirs), i.Record.Dataset.Name, in.Name, kindOf(own), remedy)
}

// kindOf says what samples of a shape are.
func kindOf(shape []int64) string {
	switch {
	case len(shape) != 3:
		return "points of the plane"
	case shape[0] == 1:
		return fmt.Sprintf("grey pictures of %dx%d (1 channel)", shape[1], shape[2])
	}
	return fmt.Sprintf("pictures in colour of %dx%d (%d channels)", shape[1], shape[2], shape[0])
}

// Fill builds the network of a run that starts, with the weights, before anything is
// touched on the disk: they may not fit it, or be damaged.
func (i *Init) Fill(sub *Subject, c trainer.Config) error {
	if i == nil {
		return nil
	}
	torch.ManualSeed(c.Seed) // of classes that start fresh
	m, err := sub.Build()
	if err != nil {
		return err
	}
	i.classes, err = i.Checkpoint.Begin(m, sub.Info.ClassNames)
	var misfit *models.Mismatch
	switch {
	case errors.As(err, &misfit):
		return cli.Usagef("--init-from: %v", err)
	case err != nil:
		return fmt.Errorf("--init-from: %w", err)
	}
	i.filled = m
	return nil
}

// Begin lets the run begin with the weights of Fill, unless it goes on: then it has its own.
func (i *Init) Begin(s *Start, sub *Subject, c *trainer.Config) {
	if i == nil {
		if s.From != nil {
			c.InitFrom = s.From.Record.Training.Configuration.InitFrom
		}
		return
	}
	c.InitFrom = trainer.Fingerprint(i.Tensors)
	if s.From != nil {
		return
	}
	sub.Build = func() (models.Network, error) { return i.filled, nil }
	s.Notes = append(s.Notes, i.about(c, i.classes))
}

// about says in a line what the run begins with.
func (i *Init) about(c *trainer.Config, classes string) string {
	what := "the weights of " + i.Path
	if i.Record != nil {
		what += fmt.Sprintf(" (%s, step %s)", i.Record.Dataset.Name, count(i.Record.Training.Step))
	}
	if classes != "" {
		what += "; " + classes
	}
	if i.Record != nil && i.Record.Training.Configuration.Path != c.Path {
		what += fmt.Sprintf("; they are of the path %s, this run's is %s", orStraight(i.Record.Training.Configuration.Path), orStraight(c.Path))
	}
	return "the run begins with " + what
}

func orStraight(path string) string {
	if path == "" {
		return "ot"
	}
	return path
}
