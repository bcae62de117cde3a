package training

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/trainer"
)

// Sessions of a record before 0.1, which counted in other words, stay as they are.
func TestKeepBehindOlderSessions(t *testing.T) {
	s := &Start{Dir: t.TempDir(), From: &trainer.State{}}
	path := filepath.Join(s.Dir, RunFile)
	old := `{"format": 1, "command": "train", "values": {"dataset": "moons"}, "data": "ab12", "sessions": [{"first_step": 0, "steps": 3}]}`
	if err := os.WriteFile(path, []byte(old), 0o666); err != nil {
		t.Fatal(err)
	}
	r := &RunRecord{Format: 1, Command: "train", Values: map[string]json.RawMessage{"dataset": json.RawMessage(`"moons"`)}, Data: "cd34"}
	for steps := range 2 { // at a session's begin and at its end
		if err := r.Keep(s, RunSession{Before: 3, Steps: steps}); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Data     *string `json:"data"`
		Digest   string  `json:"data_sha256"`
		Sessions []map[string]any
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.Data != nil || got.Digest != "cd34" || len(got.Sessions) != 2 {
		t.Fatalf("%s", text)
	}
	if first, last := got.Sessions[0], got.Sessions[1]; first["first_step"] != 0.0 || first["steps"] != 3.0 || last["steps_before"] != 3.0 || last["steps"] != 1.0 {
		t.Errorf("%s", text)
	}
}

// A run.json that is none is kept under another name, and what is written in its place tells of one session.
func TestKeepBesideDamaged(t *testing.T) {
	for name, bad := range map[string]string{
		"cut":           `{"format": 1, "values": {"dataset": "moons"}, "sessions": [{"steps`,
		"empty":         "",
		"another's":     `{"mine": true}`,
		"without value": `{"format": 1}`,
		"newer":         `{"format": 2, "values": {"dataset": "moons"}}`,
		"huge":          strings.Repeat(" ", 16<<20) + "{}",
	} {
		t.Run(name, func(t *testing.T) {
			s := &Start{Dir: t.TempDir(), From: &trainer.State{}}
			path := filepath.Join(s.Dir, RunFile)
			if err := os.WriteFile(path, []byte(bad), 0o666); err != nil {
				t.Fatal(err)
			}
			r := &RunRecord{Format: 1, Command: "train", Values: map[string]json.RawMessage{"dataset": json.RawMessage(`"moons"`)}}
			for steps := range 2 {
				if err := r.Keep(s, RunSession{Before: 3, Steps: steps}); err != nil {
					t.Fatal(err)
				}
			}
			if kept, err := os.ReadFile(path + ".damaged"); err != nil || string(kept) != bad {
				t.Errorf("%d bytes were kept, %v", len(kept), err)
			}
			if len(s.Passed) != 1 || !strings.Contains(s.Passed[0], "kept as run.json.damaged") {
				t.Errorf("%q", s.Passed)
			}
			now, err := readRunFile(path)
			if err != nil || len(now.Sessions) != 1 || !strings.Contains(compact(t, now.Sessions[0]), `"steps":1`) {
				t.Errorf("%v: %s", err, now.Sessions)
			}
		})
	}
}

// One session in a folder without a run.json is told of once.
func TestKeepWithoutHistory(t *testing.T) {
	s := &Start{Dir: t.TempDir(), From: &trainer.State{}}
	r := &RunRecord{Format: 1, Values: map[string]json.RawMessage{"dataset": json.RawMessage(`"moons"`)}}
	for steps := range 3 {
		if err := r.Keep(s, RunSession{Steps: steps}); err != nil {
			t.Fatal(err)
		}
	}
	if now, err := readRunFile(filepath.Join(s.Dir, RunFile)); err != nil || len(now.Sessions) != 1 || s.Passed != nil {
		t.Errorf("%v: %s, notes %q", err, now.Sessions, s.Passed)
	}
}

// One that cannot be read may be whole: going on ends before anything is touched, a damaged state included.
func TestUnreadableRunFile(t *testing.T) {
	s := &Start{Dir: t.TempDir()}
	path := filepath.Join(s.Dir, RunFile)
	if err := os.Symlink(RunFile, path); err != nil { // what permissions refuse, root may
		t.Fatal(err)
	}
	state := filepath.Join(s.Dir, trainer.StateFile)
	if err := os.WriteFile(state, []byte("damaged"), 0o666); err != nil {
		t.Fatal(err)
	}
	r := &RunRecord{Format: 1}
	for what, do := range map[string]func() error{
		"resume": func() error {
			_, stops := read(t, Train, "--resume")
			_, err := stops.Open(s.Dir, torch.CPU)
			return err
		},
		"keep": func() error { return r.Keep(&Start{Dir: s.Dir}, RunSession{}) },
	} {
		if err := do(); !errors.Is(err, syscall.ELOOP) || !strings.Contains(fmt.Sprint(err), RunFile) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if b, err := os.ReadFile(state); err != nil || string(b) != "damaged" {
		t.Errorf("the state was touched: %v", err)
	}
	if to, err := os.Readlink(path); err != nil || to != RunFile {
		t.Errorf("the record was touched: %v", err)
	}
}

func compact(t *testing.T, raw []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
