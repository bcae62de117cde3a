package training

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/atomicfile"
	"github.com/wangkuiyi/gotorch/regular"

	"flowmatch/trainer"
)

// RunFile tells of a run beside its states: what it was asked for, and how long it took.
// The checkpoints know no times: equal runs give equal ones.
const RunFile = "run.json"

// RunRecord is what a run.json holds.
type RunRecord struct {
	Format   int                        `json:"format"`
	Command  string                     `json:"command,omitempty"`
	Values   map[string]json.RawMessage `json:"values"`         // by the flags' names
	From     map[string]string          `json:"from,omitempty"` // default, recipe, machine, preset, config, chosen (by the pictures) or flag
	Data     string                     `json:"data,omitempty"` // SHA-256 of the set
	Sessions []RunSession               `json:"sessions,omitempty"`
}

// RunSession is one process's part of a run.
type RunSession struct {
	Arguments []string          `json:"arguments"`
	Versions  map[string]string `json:"versions"`
	Machine   string            `json:"machine"`
	First     int               `json:"first_step"` // steps done before
	Steps     int               `json:"steps"`      // done in all, when this was written
	Seconds   float64           `json:"seconds"`    // of the new steps
	Began     time.Time         `json:"began"`
}

// Keep writes the record into the run's folder, behind what it tells of earlier sessions
// of a run that goes on.
func (r *RunRecord) Keep(s *Start, session RunSession) error {
	path := filepath.Join(s.Dir, RunFile)
	if err := regular.Check(path); err != nil {
		return fmt.Errorf("the run's record: %w", err)
	}
	out := *r
	out.Sessions = nil
	if s.From != nil && s.earlier == nil {
		if old, err := readRunFile(path); err == nil { // of a damaged one nothing is kept
			s.earlier = old.Sessions
		}
	}
	out.Sessions = append(append(out.Sessions, s.earlier...), session)
	err := atomicfile.Write(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(out)
	})
	if err != nil {
		return fmt.Errorf("the run's record was not written: %w", err)
	}
	return nil
}

// NewSession is the part of a run that begins now.
func NewSession(args []string, s *Start) RunSession {
	return RunSession{
		Arguments: append([]string{}, args...), Machine: machine(s.Device), First: s.Step(), Steps: s.Step(), Began: time.Now().UTC().Truncate(time.Second),
		Versions: map[string]string{"flowmatch": trainer.Version, "libtorch": torch.Version, "go": runtime.Version()},
	}
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
	return fmt.Sprintf("%s, %d threads", name, torch.NumThreads())
}
