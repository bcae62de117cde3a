package page

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flowmatch/trainer"
)

// stateOf is what the page is told that there is.
func stateOf(t *testing.T, h http.Handler) (st pageState, runs map[string]Run, models map[string]Model) {
	t.Helper()
	check(t, json.Unmarshal(ask(h, request("GET", "/api/state", "", nil)).Body.Bytes(), &st))
	runs, models = map[string]Run{}, map[string]Model{}
	for _, r := range st.Runs {
		runs[r.ID] = r
	}
	for _, m := range st.Models {
		models[m.ID] = m
	}
	return st, runs, models
}

// A run that was moved out of a fresh one's way is marked, and can be looked at.
func TestSetAside(t *testing.T) {
	dir := copied(t)
	_, err := trainer.MoveAside(filepath.Join(dir, "cfm", "moons"))
	check(t, err)
	check(t, os.CopyFS(filepath.Join(dir, "cfm", "moons"), os.DirFS(filepath.Join(dir, "cfm", "moons.old-1"))))
	check(t, os.Rename(filepath.Join(dir, "cfm", "digits"), filepath.Join(dir, "cfm", "folder.old-house")))
	h := newServer(t, Options{OutputDir: dir}).Handler()
	_, runs, models := stateOf(t, h)
	for id, want := range map[string]bool{"cfm/moons": false, "cfm/moons.old-1": true, "cfm/folder.old-house": false} {
		if r, ok := runs[id]; !ok || r.Aside != want {
			t.Errorf("the run %s: aside %v, want %v (%v)", id, r.Aside, want, ok)
		}
		if m, ok := models[id]; !ok || m.Aside != want {
			t.Errorf("the model %s: aside %v, want %v (%v)", id, m.Aside, want, ok)
		}
	}
	if w := ask(h, request("POST", "/api/target", `{"model":"cfm/moons.old-1"}`, nil)); w.Code != http.StatusOK {
		t.Errorf("its points: %d %s", w.Code, w.Body)
	}
}

// A run's time is that of its last step or save, and not of what was written anew since.
func TestWhenARunLearnt(t *testing.T) {
	dir := copied(t)
	run := filepath.Join(dir, "cfm", "moons")
	now := time.Now().Truncate(time.Second)
	at := func(name string, ago time.Duration) {
		t.Helper()
		path := filepath.Join(run, name)
		if _, err := os.Stat(path); err != nil {
			check(t, os.WriteFile(path, nil, 0o644))
		}
		check(t, os.Chtimes(path, now.Add(-ago), now.Add(-ago)))
	}
	updated := func(what string, want time.Duration) {
		t.Helper()
		_, runs, _ := stateOf(t, newServer(t, Options{OutputDir: dir}).Handler())
		if got := now.Sub(time.UnixMilli(runs["cfm/moons"].Updated)); got != want {
			t.Errorf("%s: it learnt %v ago, want %v", what, got, want)
		}
	}
	for _, name := range []string{trainer.MetricsFile, trainer.CheckpointFile, "losses.png", "run.json"} {
		at(name, time.Minute)
	}
	at(trainer.StateFile, 3*time.Hour)
	updated("resumed without a step left", 3*time.Hour)
	at(trainer.MetricsFile, 0)
	updated("on its way", 0)
	at(trainer.MetricsFile, 2*time.Minute)
	check(t, os.Remove(filepath.Join(run, trainer.StateFile)))
	updated("ended before its first save", 2*time.Minute)
	check(t, os.Remove(filepath.Join(run, trainer.MetricsFile)))
	updated("weights alone", time.Minute)
}

// TestDamagedRun: a run whose weights cannot be read is shown, with what is wrong.
func TestDamagedRun(t *testing.T) {
	dir := copied(t)
	path := filepath.Join(dir, "cfm", "moons", trainer.CheckpointFile)
	whole, err := os.ReadFile(path)
	check(t, err)
	s := newServer(t, Options{OutputDir: dir})
	for what, c := range map[string]struct{ file, says string }{
		"whole":    {string(whole), ""},
		"cut":      {string(whole[:len(whole)/2]), "ckpt.pth"},
		"no model": {"hello", "ckpt.pth"},
	} {
		check(t, os.WriteFile(path, []byte(c.file), 0o644))
		_, runs, models := stateOf(t, s.Handler())
		r, m := runs["cfm/moons"], models["cfm/moons"]
		if r.ID == "" || (r.Problem == "") != (c.says == "") || !strings.Contains(r.Problem, c.says) || strings.ContainsAny(r.Problem, "\n\r") || (r.Command == "") != (c.says != "") {
			t.Errorf("%s: problem %q, command %q", what, r.Problem, r.Command)
		}
		if m.Problem != r.Problem {
			t.Errorf("%s: the model's problem is %q, the run's %q", what, m.Problem, r.Problem)
		}
	}
}
