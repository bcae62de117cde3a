package training

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/atomicfile"
	"github.com/wangkuiyi/gotorch/regular"

	"flowmatch/datasets"
	"flowmatch/trainer"
)

// RunFile tells of a run beside its states: what it was asked for, and how long it took.
// The checkpoints know no times: equal runs give equal ones.
const RunFile = "run.json"

// RunRecord is what a run.json holds. README says it to users, too.
type RunRecord struct {
	Format  int                        `json:"format"`
	Command string                     `json:"command,omitempty"`
	Values  map[string]json.RawMessage `json:"values"`         // by the flags' names
	From    map[string]string          `json:"from,omitempty"` // default, recipe, machine, preset, config, chosen (by the pictures) or flag
	// Earlier are the lengths that were planned before, of a run that was made longer: the
	// cosine began again after each. The last one is "iterations" of Values.
	Earlier []int `json:"earlier_iterations,omitempty"`
	// Data is the SHA-256 of the set: of the list DataFile where it was read from files, of
	// the file's points or shades, or of pixels and labels inside the program. Sets that are
	// drawn have none: name and seed decide them.
	Data     string            `json:"data_sha256,omitempty"`
	Sessions []json.RawMessage `json:"sessions,omitempty"` // each a RunSession

	// Older is Data as it was called before 0.1.
	Older string `json:"data,omitempty"`
}

// RunSession is one process's part of a run.
type RunSession struct {
	Arguments []string          `json:"arguments"`
	Versions  map[string]string `json:"versions"`
	Machine   string            `json:"machine"`
	Device    string            `json:"device"`       // where it was computed, "cpu"
	Threads   int               `json:"threads"`      // of the processor
	Before    int               `json:"steps_before"` // done by earlier sessions
	Steps     int               `json:"steps"`        // done by this one, when this was written
	Seconds   float64           `json:"seconds"`      // that they took
	Began     time.Time         `json:"began"`
}

// Keep writes the record into the run's folder, behind what it tells of earlier sessions
// of a run that goes on.
func (r *RunRecord) Keep(s *Start, session RunSession) error {
	if err := s.Held(); err != nil {
		return fmt.Errorf("the run's record was not written: %w", err)
	}
	path := filepath.Join(s.Dir, RunFile)
	if err := regular.Check(path); err != nil {
		return fmt.Errorf("the run's record: %w", err)
	}
	if err := s.readHistory(); err != nil {
		return err
	}
	if err := s.keepDamaged(); err != nil {
		return err
	}
	if err := s.keepDamagedHistory(); err != nil {
		return err
	}
	if session.Steps == 0 && s.done && s.history.there {
		return nil // it has done nothing
	}
	out := *r
	out.Sessions = nil
	last, err := json.Marshal(session)
	if err != nil {
		return fmt.Errorf("the run's record: %w", err)
	}
	if s.From != nil {
		out.Sessions = append(out.Sessions, s.history.earlier...)
	}
	out.Sessions = append(out.Sessions, last)
	err = atomicfile.Replace(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(out)
	})
	if err != nil {
		return fmt.Errorf("the run's record was not written: %w", err)
	}
	return nil
}

// history is what the run's folder told of earlier sessions before this one wrote there.
type history struct {
	read    bool
	there   bool
	damaged error // why its file is none
	earlier []json.RawMessage
}

// readHistory reads, once, what the folder's run.json tells of earlier sessions. A damaged
// file is noted; one that cannot be read may be whole, and is an error.
func (s *Start) readHistory() error {
	if s.history.read {
		return nil
	}
	old, err := readRunFile(filepath.Join(s.Dir, RunFile))
	var bad *notRunFile
	switch {
	case errors.As(err, &bad):
		s.history.damaged = err
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("the run's record: %w; it may be whole, and nothing was changed", err)
	default:
		s.history.there, s.history.earlier = true, old.Sessions
	}
	s.history.read = true
	return nil
}

// keepDamagedHistory gives a damaged run.json another name, so that none takes its place.
func (s *Start) keepDamagedHistory() error {
	why := s.history.damaged
	if why == nil {
		return nil
	}
	kept, err := trainer.SetAside(filepath.Join(s.Dir, RunFile))
	if err != nil {
		return fmt.Errorf("the run's record: %w", err)
	}
	s.history.damaged = nil
	s.Passed = append(s.Passed, fmt.Sprintf("passed over: %v; kept as %s, and what it told of earlier sessions is not in the new one", why, kept))
	return nil
}

// NewSession is the part of a run that begins now.
func NewSession(args []string, s *Start) RunSession {
	return RunSession{
		Arguments: append([]string{}, args...), Machine: machine(s.Device), Device: s.Device.String(), Threads: torch.NumThreads(), Before: s.Step(), Began: time.Now().UTC().Truncate(time.Second),
		Versions: map[string]string{"flowmatch": trainer.Version, "libtorch": torch.Version, "go": runtime.Version()},
	}
}

// Digest is the SHA-256 of the set that a run is trained on, "" where it is drawn.
func (sub *Subject) Digest() string {
	im, images := sub.Set.(*datasets.Images)
	if sub.Info.Data != "" || !images {
		return sub.Info.Data
	}
	h := sha256.New()
	_, _ = h.Write(im.Pixels) // a hash takes all
	_, _ = h.Write(im.Labels)
	return hex.EncodeToString(h.Sum(nil))
}

// machine names the processor, or the GPU.
func machine(d torch.Device) string {
	if d.IsCUDA() {
		return place(d)
	}
	name := "a processor"
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				name = strings.TrimSpace(value)
				break
			}
		}
	}
	return name + ", " + threads()
}
