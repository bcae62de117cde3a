package datasets

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"flowmatch/datasets/internal/userfile"
	"flowmatch/datasets/picture"
	"flowmatch/datasets/plane"
)

// Split tells the part of a set to train on from the part kept for testing.
type Split int

const (
	Train Split = iota // the default
	Test
)

func (s Split) String() string {
	if s == Test {
		return "test"
	}
	return "train"
}

// Options says where and what to read. The zero value reads the training part
// from the folder data.
type Options struct {
	DataDir string // folder that holds the sets' own folders; default "data"
	Split   Split  // default Train; Test is every fifth image of sets without a test part

	// ImageSize is the height and width of a folder's pictures; default by theirs, at
	// most 64. Other sets have their own.
	ImageSize int

	// Channels of a folder's pictures: 1 for grey, 3 for colours; default as the pictures
	// are, grey if all are.
	Channels int

	// Attribute makes two classes of celeba: the faces without it and those with it.
	Attribute string

	// Progress is called now and then by sets that take long to read, from any one
	// goroutine at a time. It may be nil.
	Progress func(done, total int)

	ctx context.Context // of OpenContext; nil: never ends
}

func (o Options) dataDir() string {
	if o.DataDir == "" {
		return "data"
	}
	return o.DataDir
}

// entry is one row of the table of known sets. A name with a colon stands for a
// kind of set: of "image:FILE" the part up to the colon counts, and what the user
// writes behind it is a path.
type entry struct {
	info   Info
	traits Traits
	about  string                               // one line for lists of the sets
	open   func(Info, Options) (*Images, error) // nil: a set of points

	// look completes what is known without reading, where the table does not say
	// it all; nil: it does.
	look func(Info, Options) (Info, error)
}

// planeSets are the rows of sets of points, which package plane opens.
func planeSets() []entry {
	var rows []entry
	for _, k := range plane.Kinds() {
		rows = append(rows, entry{info: k.Info, traits: k.Traits, about: k.About})
	}
	return rows
}

// registry lists the sets in the order in which they are shown.
var registry = append(planeSets(), []entry{
	{
		info:   Info{Name: "digits", Shape: []int{1, 8, 8}, Levels: 17, ClassNames: tenDigits},
		traits: Traits{Few: true},
		about:  "1,797 handwritten digits of 8x8, inside the program: no files needed",
		open:   openDigits,
	},
	mnistSet,
	fashionMNISTSet,
	kmnistSet,
	qmnistSet,
	emnistLetters,
	emnistBalanced,
	emnistByClass,
	emnistDigits,
	cifar10Set,
	cifar100Set,
	cifar100CoarseSet,
	celebaSet,
	{
		info:   Info{Name: "folder:DIR", Levels: 256},
		traits: Traits{Photographs: true, Sized: true},
		about:  "pictures of your own: one sub-folder per class, or none",
		open:   openFolder,
		look:   lookFolder,
	},
}...)

// Names lists the known sets in the order in which they are shown.
func Names() []string {
	names := make([]string, len(registry))
	for i, e := range registry {
		names[i] = e.info.Name
	}
	return names
}

// About is a line for people on the set of that name, or "".
func About(name string) string {
	if e, err := find(name); err == nil {
		return e.about
	}
	return ""
}

// Lookup describes a set without reading its files. An unknown name gives an
// [*UnknownError]. Case does not matter, and a hyphen is as good as an underscore.
func Lookup(name string) (Info, error) { return LookupWith(name, Options{}) }

// LookupWith is [Lookup] with options, of which a folder of pictures has its size.
// It lists such a folder's classes, and gives a [*FileError] where it cannot.
func LookupWith(name string, opts Options) (Info, error) {
	e, err := find(name)
	if err != nil {
		return Info{}, err
	}
	return e.complete(opts)
}

// Open reads a set. The error is an [*UnknownError] where the name is wrong and a
// [*FileError] where the files are.
func Open(name string, opts Options) (*Images, error) {
	e, err := find(name)
	if err != nil {
		return nil, err
	}
	if e.open == nil {
		return nil, fmt.Errorf("%s is a set of points, not of images", e.info.Name)
	}
	info, err := e.complete(opts)
	if err != nil {
		return nil, err
	}
	im, err := e.open(info, opts)
	if err == nil && im.Files != nil {
		im.Data = im.Files.Sort().Fingerprint()
	}
	if err == nil && opts.Split == Train {
		im.warnOfMissing()
	}
	if err == nil && opts.Split == Test && im.Undivided {
		fit, test := im.holdOut()
		test.Warnings = fit.Warnings
		return test, nil
	}
	return im, err
}

// OpenContext is [Open] that stops with ctx, whose cause is then the error. Reading
// a folder of many pictures takes minutes.
func OpenContext(ctx context.Context, name string, opts Options) (*Images, error) {
	opts.ctx = ctx
	return Open(name, opts)
}

func (e *entry) describe() Info { return e.info.Clone() }

// complete is describe with what only a look at the files' names tells.
func (e *entry) complete(opts Options) (Info, error) {
	if e.look == nil {
		return e.describe(), nil
	}
	return e.look(e.describe(), opts)
}

func find(name string) (*entry, error) {
	if kind, path, ok := strings.Cut(name, ":"); ok {
		return findKind(name, canonical(kind), path)
	}
	wanted := canonical(name)
	for i := range registry {
		if registry[i].info.Name == wanted {
			return &registry[i], nil
		}
	}
	return nil, &UnknownError{Name: name, Nearest: append(ownSets(name), Nearest(name)...)}
}

// ownSets are the sets that a path may have been meant for, by its ending and by what is
// there.
func ownSets(path string) []string {
	switch ending := strings.ToLower(filepath.Ext(path)); {
	case userfile.IsFolder(userfile.InHome(path)), strings.HasSuffix(path, "/"):
		return []string{"folder:" + path}
	case picture.HasEnding(path):
		return []string{"image:" + path}
	case plane.ReadsEnding(ending):
		return []string{"points:" + path}
	}
	return nil
}

// findKind finds the row of kind:PATH and names it after the path.
func findKind(name, kind, path string) (*entry, error) {
	var near []string
	path = userfile.InHome(path)
	for _, e := range registry {
		k, what, ok := strings.Cut(e.info.Name, ":")
		switch {
		case !ok:
		case k == kind && path != "":
			e.info.Name = kind + ":" + path
			return &e, nil
		case k == kind:
			near = append(near, k+":"+what)
		case editDistance(k, kind) <= 2:
			near = append(near, k+":"+path)
		}
	}
	return nil, &UnknownError{Name: name, Nearest: near}
}

func canonical(name string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "-", "_")
}

// UnknownError says that no set has the name asked for: wrong use, not a fault of
// the world.
type UnknownError struct {
	Name    string
	Nearest []string // closest first; may be empty
}

func (e *UnknownError) Error() string {
	if len(e.Nearest) == 0 {
		return fmt.Sprintf("unknown dataset %q: choose one of %s", e.Name, strings.Join(Names(), ", "))
	}
	return fmt.Sprintf("unknown dataset %q: did you mean %s?", e.Name, strings.Join(e.Nearest, " or "))
}
