package training

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

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
