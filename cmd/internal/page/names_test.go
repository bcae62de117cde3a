package page

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flowmatch/trainer"
)

// Names of folders and classes are shown without what moves a cursor or turns letters, and
// no command with such a name is there to be copied.
func TestNames(t *testing.T) {
	dir := copied(t)
	const evil = "b\x1b[31m\u202ex"
	check(t, os.Rename(filepath.Join(dir, "cfm", "digits"), filepath.Join(dir, "cfm", evil)))
	s := newServer(t, Options{OutputDir: dir})
	var got struct {
		Models []Model
		Runs   []Run
	}
	check(t, json.Unmarshal(ask(s.Handler(), request("GET", "/api/state", "", nil)).Body.Bytes(), &got))
	models, runs := 0, 0
	for _, m := range got.Models {
		if m.ID == "cfm/"+evil {
			models++
			if m.Set != "b?[31m?x" {
				t.Errorf("the model's set %q", m.Set)
			}
		}
	}
	for _, r := range got.Runs {
		switch {
		case r.ID == "cfm/"+evil:
			runs++
			if r.Set != "b?[31m?x" || r.Command != "" {
				t.Errorf("the run's set %q, its command %q", r.Set, r.Command)
			}
		case r.ID == "cfm/moons" && !strings.Contains(r.Command, "--dataset moons"):
			t.Errorf("the command of moons: %q", r.Command)
		}
	}
	if models != 1 || runs != 1 {
		t.Errorf("%d models and %d runs", models, runs)
	}
	if _, err := s.find("cfm/" + evil); err != nil {
		t.Errorf("the page cannot ask for it: %v", err)
	}
}

// A class's name is shown cut and clean, while commands have it whole, or are not there.
func TestNamesOfClasses(t *testing.T) {
	long := strings.Repeat("a", 100)
	s := newServer(t, Options{})
	m := Model{Set: "pets", Family: "cfm", file: "cfm/pets/" + trainer.CheckpointFile, Classes: 3, ClassNames: []string{"a\x1b[31m", long, "cat"}}
	shown := m
	shown.show()
	if n := shown.ClassNames; n[0] != "a?[31m" || n[1] != long[:59]+"…" || n[2] != "cat" {
		t.Errorf("%q", n)
	}
	for class, want := range []string{"", "--classes " + long, "--classes cat"} {
		a := &picturesRequest{Class: class, Guidance: 1}
		if got := s.picturesCommand(m, a); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("class %d: %q", class, got)
		}
	}
}
