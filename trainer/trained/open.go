package trained

import (
	"fmt"
	"slices"

	"flowmatch/datasets"
	"flowmatch/models"
	"flowmatch/trainer"
	"flowmatch/trainer/recipe"
)

// Options say what of a file is opened, and as what. The zero value leaves both to the file.
type Options struct {
	// Weights are those that are taken of a file that holds them averaged and as they were.
	Weights trainer.Averaging
	// Set is the set that the model is taken to be of; the zero Info: its record's. Where
	// classes and shape vary by options, the record alone has them.
	Set datasets.Info
	// Network is that of a file without a record: of a kind, by the names of its tensors,
	// and with a null class, if its table of classes has a row more than Set. nil: the
	// set's usual one.
	Network func(kind string, nullClass bool) (models.Config, error)
}

// NoRecordError is of a file that does not say which network it is, where Options do not
// say of which set.
type NoRecordError struct{ Path string }

func (e *NoRecordError) Error() string {
	return e.Path + " has no record of its network: say which set it was trained on"
}

// MisfitError is of a model that is none of the set that it was to be of.
type MisfitError struct {
	Path string
	Of   string // the set that it was trained on
	Set  string
}

func (e *MisfitError) Error() string {
	return fmt.Sprintf("%s is a network for %s, which does not fit %s", e.Path, e.Of, e.Set)
}

// Open reads a file of weights or a run's state. Its errors are those of
// trainer.ReadNetwork and of [Of].
func Open(path string, o Options) (*Model, error) {
	ck, err := trainer.ReadNetwork(path, o.Weights)
	if err != nil {
		return nil, err
	}
	return Of(ck, o)
}

// Of finds out what a checkpoint's network is. The error is a *NoRecordError, a *MisfitError, or
// says what is damaged.
func Of(ck *trainer.Checkpoint, o Options) (*Model, error) {
	if ck.Record == nil {
		return foreign(ck, o)
	}
	network, err := ck.Record.Network()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ck.Path, err)
	}
	d := ck.Record.Dataset
	if o.Set.Name != "" && o.Set.Is2D() != (len(network.SampleShape()) == 1) {
		return nil, &MisfitError{ck.Path, d.Name, o.Set.Name}
	}
	if err := contradiction(network, d); err != nil {
		return nil, fmt.Errorf("%s: damaged: %w", ck.Path, err)
	}
	info := o.Set
	if info.Name == "" || datasets.TraitsOf(info.Name).Varies() {
		info = datasets.Info{Name: info.Name, Shape: d.Shape, Levels: d.Levels, ClassNames: d.ClassNames}
	}
	if info.Name == "" {
		info.Name = d.Name
	}
	info.Frame, info.Data = d.Frame, d.Data
	m := modelOf(ck, info, network)
	if !slices.Equal(m.Shape, info.Shape) || m.Classes > 0 && m.Classes != info.Classes() {
		return nil, &MisfitError{ck.Path, d.Name, info.Name}
	}
	return m, nil
}

// contradiction is where a record's parts do not fit each other.
func contradiction(network models.Config, d trainer.DatasetRecord) error {
	shape := toInts(network.SampleShape())
	known, err := datasets.Lookup(d.Name)
	other := err == nil && known.Shape != nil && len(known.Shape) != len(shape) // images of a set of points, or points of a set of images
	if !slices.Equal(shape, d.Shape) || len(shape) == 1 && shape[0] != 2 || other {
		return fmt.Errorf("the record is of a network for samples of %v numbers, and of the set %q of shape %v", shape, d.Name, d.Shape)
	}
	return nil
}

// foreign is a file without our record.
func foreign(ck *trainer.Checkpoint, o Options) (*Model, error) {
	if o.Set.Shape == nil {
		return nil, &NoRecordError{ck.Path}
	}
	kind := models.KindOf(ck.Tensors)
	null := models.LabelRows(kind, ck.Tensors) == int64(o.Set.Classes()+1)
	usual := recipe.For(o.Set).Network
	if o.Network == nil {
		return modelOf(ck, o.Set, usual.WithClasses(o.Set.Classes(), null && o.Set.Classes() > 0)), nil
	}
	network, err := o.Network(kind, null)
	if err != nil {
		return nil, err
	}
	return modelOf(ck, o.Set, network), nil
}

func modelOf(ck *trainer.Checkpoint, in datasets.Info, n models.Config) *Model {
	return &Model{
		Checkpoint: ck, Config: n, Info: in,
		Shape: toInts(n.SampleShape()), Classes: n.Classes(), NullClass: n.HasNullClass(), PerSample: n.SampleBytes(),
	}
}

func toInts(shape []int64) []int {
	var out []int
	for _, n := range shape {
		out = append(out, int(n))
	}
	return out
}
