package page

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets"
	"flowmatch/datasets/plane"
	"flowmatch/models"
	"flowmatch/trainer"
)

// withModels makes an output folder with a model of moons, one that stands for its rectified
// flow, and one of digits: nearly untrained, which is enough to see them move.
var withModels = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "page")
	if err != nil {
		return "", err
	}
	moons, err := plane.Open("moons")
	if err != nil {
		return dir, err
	}
	digits, err := datasets.Digits()
	if err != nil {
		return dir, err
	}
	points := models.MLPConfig{HiddenDim: 32}
	pictures := models.UNetConfig{Channels: 1, Size: 8, NumChannels: 32, ChannelMult: []int{1}, NumResBlocks: 1, NumClasses: 10, NullClass: true}
	for _, m := range []struct {
		path  string
		net   models.Config
		data  trainer.Opener
		steps int
		in    datasets.Info
	}{
		{"cfm/moons", points, trainer.Data(moons), 200, moons.Info}, {"reflow/moons", points, trainer.Data(moons), 60, moons.Info},
		{"cfm/digits", pictures, trainer.Data(digits), 6, digits.Info},
	} {
		torch.ManualSeed(1)
		net, err := m.net.Build()
		if err != nil {
			return dir, err
		}
		folder, err := trainer.OpenFolder(filepath.Join(dir, filepath.FromSlash(m.path)), 2)
		if err != nil {
			return dir, err
		}
		shape := m.in.Shape[:]
		if m.in.Is2D() {
			shape = shape[:1]
		}
		run := trainer.Run{
			Network: net, Open: m.data, Folder: folder,
			Config:  trainer.Config{Iterations: m.steps, BatchSize: 64, LearningRate: 5e-3},
			Dataset: trainer.DatasetRecord{Name: m.in.Name, Shape: shape, Classes: m.in.Classes(), ClassNames: m.in.ClassNames, Levels: m.in.Levels},
		}
		_, err = run.Train(context.Background(), nil)
		folder.Close()
		if err != nil {
			return dir, err
		}
	}
	return dir, nil
})

// copied is a copy of it for a test that changes it.
func copied(t *testing.T) string {
	t.Helper()
	dir, err := withModels()
	if err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

func newServer(t *testing.T, o Options) *Server {
	t.Helper()
	if o.OutputDir == "" {
		dir, err := withModels()
		if err != nil {
			t.Fatal(err)
		}
		o.OutputDir = dir
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// request is one as the page makes it; change alters it.
func request(method, path, body string, change func(*http.Request)) *http.Request {
	r := httptest.NewRequest(method, "http://127.0.0.1:8765"+path, strings.NewReader(body))
	r.Header.Set(pageHeader, "test-page-1")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if method == "POST" {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", "http://127.0.0.1:8765")
	}
	if change != nil {
		change(r)
	}
	return r
}

func ask(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type event struct{ name, data string }

func eventsOf(t *testing.T, w *httptest.ResponseRecorder) []event {
	t.Helper()
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var all []event
	for _, e := range strings.Split(strings.TrimSuffix(w.Body.String(), "\n\n"), "\n\n") {
		first, second, _ := strings.Cut(e, "\n")
		all = append(all, event{strings.TrimPrefix(first, "event: "), strings.TrimPrefix(second, "data: ")})
	}
	return all
}

// UnmarshalJSON reads what the page is sent.
func (f *Floats) UnmarshalJSON(b []byte) error {
	var raw []byte
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*f = make(Floats, len(raw)/4)
	for i := range *f {
		(*f)[i] = math.Float32frombits(uint32(raw[4*i]) | uint32(raw[4*i+1])<<8 | uint32(raw[4*i+2])<<16 | uint32(raw[4*i+3])<<24)
	}
	return nil
}

// Where nothing was trained, there are the program's own models.
func TestIncludedModels(t *testing.T) {
	s := newServer(t, Options{OutputDir: t.TempDir()})
	var state pageState
	check(t, json.Unmarshal(ask(s.Handler(), request("GET", "/api/state", "", nil)).Body.Bytes(), &state))
	if want := "bin/train --preset moons-quick --output-dir " + s.outputs.dir; state.Train != want {
		t.Errorf("a first run: %s, want %s", state.Train, want)
	}
	kinds := map[string]int{}
	for _, m := range state.Models {
		kinds[m.Kind]++
		if m.Problem != "" {
			t.Errorf("%s: %s", m.ID, m.Problem)
		}
	}
	if kinds["points"] < 2 || kinds["images"] < 1 {
		t.Fatalf("models %v", kinds)
	}
	events := eventsOf(t, ask(s.Handler(), request("POST", "/api/trace",
		`{"models":["pretrained/checkerboard","pretrained/checkerboard-reflow"],"seed":1,"count":10,"method":"euler","steps":1}`, nil)))
	if last := events[len(events)-1]; last.name != "done" || !strings.Contains(events[0].data, `"commands":["bin/sample --pretrained checkerboard --num-samples 10 --seed 1 --method euler --steps 1","bin/compare --pretrained checkerboard --seed 1 --method euler --steps 1"]`) {
		t.Errorf("%s ... %s %s", events[0].data, last.name, last.data)
	}
	events = eventsOf(t, ask(s.Handler(), request("POST", "/api/pictures", `{"model":"pretrained/digits","class":3,"seed":1,"guidance":1,"method":"euler","steps":1}`, nil)))
	if last := events[len(events)-1]; last.name != "done" {
		t.Errorf("digits: %s %s", last.name, last.data)
	}
	// The output folder's own of a kind come instead of the program's.
	if got := withIncluded([]Model{{ID: "cfm/moons", Kind: "points"}}); slices.ContainsFunc(got, func(m Model) bool { return m.Kind == "points" && m.ID != "cfm/moons" }) ||
		!slices.ContainsFunc(got, func(m Model) bool { return m.ID == "pretrained/digits" }) {
		t.Errorf("beside a model of points: %v", got)
	}
}

// The page asks nobody but its own server.
func TestNothingFromElsewhere(t *testing.T) {
	entries, err := static.ReadDir("static")
	check(t, err)
	for _, e := range entries {
		b, err := static.ReadFile("static/" + e.Name())
		check(t, err)
		rest := strings.ReplaceAll(string(b), "http://www.w3.org/2000/svg", "")
		for _, bad := range []string{"http://", "https://", "//cdn", "@import", "style=\"", " onclick=\""} {
			if strings.Contains(rest, bad) {
				t.Errorf("%s has %q in it", e.Name(), bad)
			}
		}
	}
}
