package training

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wangkuiyi/gotorch/atomicfile"
	"github.com/wangkuiyi/gotorch/regular"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
	"flowmatch/trainer"
)

// DataFile lists the files that a run is trained on, beside its states: in the format
// of sha256sum, so that it can be checked by hand. Without it a run that is gone on
// with still knows that its data has changed, but not what.
const DataFile = "data.sha256"

// AddNewData adds the flag that lets a run go on with data that has changed.
func (r *Stops) AddNewData() {
	r.cmd.Group(StopsTitle).BoolVar(&r.NewData, "new-data", false, "with --resume: go on although the set has changed since the run began")
}

// SameSet refuses to go on with a run on another set.
func (s *Start) SameSet(in datasets.Info) error {
	if s.From == nil {
		return nil
	}
	if was, now := s.From.Record.Dataset.Name, trainer.Describe(in).Name; was != now {
		return cli.Usagef("the state is of a run on %s, not %s", was, now)
	}
	return nil
}

// SameData refuses to go on with other data than the run began with, and says what has
// changed; with --new-data it goes on, and the run's record says so.
func (r *Stops) SameData(s *Start, sub *Subject) error {
	if s.From == nil {
		return nil
	}
	was := s.From.Record.Dataset
	s.before = was.Before
	if sub.Set != nil && sub.Set.Reclass(was.ClassNames) {
		sub.Info.ClassNames = was.ClassNames
	}
	switch what := r.changes(s, sub); {
	case what == "" && r.NewData:
		s.Notes = append(s.Notes, "--new-data: the set is what the run was trained on, nothing has changed")
	case what == "":
	case !r.NewData:
		ways := "--fresh starts anew, --new-data goes on with it as it is now"
		if was.Classes != sub.Info.Classes() {
			ways = "--fresh starts anew, as its network has no place for another number of classes"
		}
		return cli.Usagef("%s is not what the run was trained on: %s; %s", sub.Info.Name, what, ways)
	default:
		return r.takeNewData(s, sub, what)
	}
	return nil
}

// takeNewData lets the run go on.
func (r *Stops) takeNewData(s *Start, sub *Subject, what string) error {
	was := s.From.Record.Dataset
	if was.Classes != sub.Info.Classes() {
		return cli.Usagef("--new-data: the run has %s, and %s has %d now, which its network has no place for; --fresh starts anew",
			terminal.Counted(was.Classes, "class"), sub.Info.Name, sub.Info.Classes())
	}
	s.before = append(slices.Clone(was.Before), trainer.DataBefore{Data: was.Data, Steps: s.Step()})
	s.Notes = append(s.Notes, "going on with other data than before: "+what)
	return nil
}

// files are those that the data was read from; nil for none.
func (sub *Subject) files() *datasets.Inventory {
	if sub.Set == nil {
		return nil
	}
	return sub.Set.Inventory()
}

// changes says what is different from the data that the run was trained on, or "".
// Runs before 0.1 recorded the names of classes alone.
func (r *Stops) changes(s *Start, sub *Subject) string {
	was := s.From.Record.Dataset
	dir := s.Dir
	if r.ResumeFrom != "" {
		dir = filepath.Dir(r.ResumeFrom)
	}
	return Changes(dir, was, sub.Info, sub.files())
}

// Changes says what of a set is different from the data that a record tells of, or "".
// The list of files is looked for in dir.
func Changes(dir string, was trainer.DatasetRecord, in datasets.Info, files *datasets.Inventory) string {
	var parts []string
	if was.Data != "" && in.Data != was.Data {
		parts = append(parts, filesChanged(dir, was.Data, files))
	}
	if !slices.Equal(was.ClassNames, in.ClassNames) {
		parts = append(parts, classesChanged(was.ClassNames, in.ClassNames))
	}
	return strings.Join(parts, "; ")
}

func filesChanged(dir, was string, files *datasets.Inventory) string {
	const unknown = "it has changed, or another one has its name"
	if files == nil {
		return unknown
	}
	f, _, err := regular.Open(filepath.Join(dir, DataFile))
	if err != nil {
		return unknown
	}
	defer f.Close()
	list, err := datasets.ReadInventory(f)
	if err != nil || list.Fingerprint() != was { // damaged, or another run's
		return unknown
	}
	return files.Changes(list)
}

// classesChanged says what has become of the names of the classes.
func classesChanged(was, now []string) string {
	of := func(names, others []string) string {
		var out []string
		for _, n := range names {
			if !slices.Contains(others, n) {
				out = append(out, n)
			}
		}
		return terminal.Some(out)
	}
	gone, added := of(was, now), of(now, was)
	switch {
	case gone == "":
		return "it has the classes " + added + " too"
	case added == "":
		return "it lacks the classes " + gone
	}
	return fmt.Sprintf("it has the classes %s instead of %s", added, gone)
}

// KeepFiles keeps the list of the set's files in the run's folder.
func (s *Start) KeepFiles(sub *Subject) error {
	files := sub.files()
	if files == nil {
		return nil
	}
	path := filepath.Join(s.Dir, DataFile)
	var text bytes.Buffer
	if _, err := files.WriteTo(&text); err != nil {
		return err
	}
	if err := regular.Check(path); err != nil {
		return fmt.Errorf("the list of the set's files: %w", err)
	}
	old, err := os.ReadFile(path)
	if err == nil && bytes.Equal(old, text.Bytes()) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the list of the set's files: %w", err)
	}
	if err := s.keepDamaged(); err != nil {
		return err
	}
	if err := s.noteList(err == nil, old); err != nil {
		return err
	}
	err = atomicfile.Replace(path, func(w io.Writer) error {
		_, err := w.Write(text.Bytes())
		return err
	})
	if err != nil {
		return fmt.Errorf("the list of the set's files was not written: %w", err)
	}
	return nil
}

// noteList says where a run that is gone on with does not have the list of the files that it began with. What is there
// instead is kept.
func (s *Start) noteList(there bool, list []byte) error {
	if s.From == nil || s.From.Record.Dataset.Data == "" || s.elsewhere {
		return nil
	}
	if !there {
		s.Notes = append(s.Notes, DataFile+", the list of the set's files, was missing: it is written anew")
		return nil
	}
	if was, err := datasets.ReadInventory(bytes.NewReader(list)); err == nil && was.Fingerprint() == s.From.Record.Dataset.Data {
		return nil // the data is new
	}
	kept, err := s.folder.KeepDamaged([]trainer.PassedOver{{Name: DataFile}})
	if err != nil {
		return err
	}
	s.Notes = append(s.Notes, fmt.Sprintf("%s is not the list of the files that the run began with: it is kept as %s, and written anew", DataFile, kept[0]))
	return nil
}
