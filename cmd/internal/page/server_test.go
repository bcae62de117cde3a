package page

import (
	"bytes"
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
	"flowmatch/datasets/npz"
	"flowmatch/datasets/plane"
	"flowmatch/flow"
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

func TestLimits(t *testing.T) {
	h := newServer(t, Options{}).Handler()
	drawing := func(n int) string {
		b, _ := json.Marshal(map[string]any{"points": make([]float32, 2*n), "iterations": 1, "seed": 1})
		return string(b)
	}
	trace := func(more string) string { return `{"models":["cfm/moons"],"seed":1,` + more + `}` }
	paths := func(points string) string {
		return `{"models":["cfm/moons"],"points":[` + points + `],"method":"euler","steps":1}`
	}
	pictures := func(more string) string { return `{"model":"cfm/digits","seed":1,"method":"euler",` + more + `}` }
	for name, c := range map[string]struct {
		path, body string
		want       int
		says       string
	}{
		"no points":            {"trace", trace(`"count":0,"method":"euler","steps":1`), 400, "points"},
		"too many points":      {"trace", trace(`"count":6001,"method":"euler","steps":1`), 400, "6000"},
		"no steps":             {"trace", trace(`"count":1,"method":"euler","steps":0`), 400, "steps"},
		"too many steps":       {"trace", trace(`"count":1,"method":"euler","steps":101`), 400, "100"},
		"no such method":       {"trace", trace(`"count":1,"method":"magic","steps":1`), 400, "magic"},
		"no tolerance":         {"trace", trace(`"count":1,"method":"dopri5","rtol":0`), 400, "tolerance"},
		"too fine a tolerance": {"trace", trace(`"count":1,"method":"dopri5","rtol":1e-12`), 400, "tolerance"},
		"no model":             {"trace", `{"models":[],"count":1,"method":"euler","steps":1}`, 400, "one model or two"},
		"three models":         {"trace", `{"models":["a","b","c"],"count":1,"method":"euler","steps":1}`, 400, "one model or two"},
		"an unknown field":     {"trace", trace(`"count":1,"method":"euler","steps":1,"path":"/etc"`), 400, "path"},
		"two documents":        {"target", `{"model":"cfm/moons"}{}`, 400, "end"},
		"no JSON":              {"target", `model`, 400, "not understood"},
		"a time past the end":  {"paths", paths(`{"x":0,"y":0,"t":1.5}`), 400, "time"},
		"a point far away":     {"paths", paths(`{"x":1e30,"y":0,"t":0.5}`), 400, "point"},
		"no dropped points":    {"paths", paths(""), 400, "1 to 12 points"},
		"too many dropped":     {"paths", paths(strings.Repeat(`{"x":0,"y":0,"t":0},`, mostPaths) + `{"x":0,"y":0,"t":0}`), 400, "1 to 12 points"},
		"too few drawn":        {"train", drawing(leastDrawn - 1), 400, "at least"},
		"too many drawn":       {"train", drawing(mostDrawn + 1), 400, "at most"},
		"too long":             {"train", `{"points":[` + strings.Repeat("1.23456789,", 30_000) + `1]}`, 413, "bytes"},
		"too much guidance":    {"pictures", pictures(`"steps":1,"guidance":21`), 400, "guidance"},
		"too long a row":       {"pictures", pictures(`"steps":1,"guidance":1,"seeds":[1,2,3,4,5,6,7,8,9,10,11,12,13]`), 400, "a row"},
		"a path for a run":     {"watch", `{"run":"../cfm"}`, 400, "a run is named"},
		"no such model":        {"target", `{"model":"cfm/none"}`, 404, "no model"},
	} {
		w := ask(h, request("POST", "/api/"+c.path, c.body, nil))
		if w.Code != c.want || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s: %d %s, want %d and %q", name, w.Code, w.Body, c.want, c.says)
		}
	}
	// What only the model tells comes as an event.
	for name, c := range map[string][2]string{
		"pictures of points":      {"pictures", `{"model":"cfm/moons","method":"euler","steps":1,"guidance":1}`},
		"points of pictures":      {"trace", `{"models":["cfm/digits"],"count":1,"method":"euler","steps":1}`},
		"a class that is not one": {"pictures", pictures(`"class":10,"steps":1,"guidance":1`)},
	} {
		events := eventsOf(t, ask(h, request("POST", "/api/"+c[0], c[1], nil)))
		if last := events[len(events)-1]; last.name != "failure" {
			t.Errorf("%s: ends with %s %s", name, last.name, last.data)
		}
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
	if want := "bin/train --dataset checkerboard --output-dir " + s.outputs.dir; state.Train != want {
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

// What is traced is what flow.Sampling draws from the seed's noise, as bin/sample does,
// though it comes in batches and frames.
func TestTraceIsSampling(t *testing.T) {
	s := newServer(t, Options{})
	const count, steps = 700, 5
	body := `{"models":["cfm/moons","reflow/moons"],"seed":7,"count":700,"method":"midpoint","steps":5}`
	events := eventsOf(t, ask(s.Handler(), request("POST", "/api/trace", body, nil)))
	got := map[int][]float32{}
	solved := [2]int{}
	frames := 0
	for _, e := range events {
		if e.name != "frame" {
			continue
		}
		var f traceFrame
		check(t, json.Unmarshal([]byte(e.data), &f))
		frames++
		if f.Frame == steps {
			if got[f.Model] == nil {
				got[f.Model] = make([]float32, 2*count)
			}
			copy(got[f.Model][2*f.First:], f.X)
			solved[f.Model] += len(f.X) / 2
		}
	}
	if solved[0] != count || solved[1] != count || frames%(2*(steps+1)) != 0 {
		t.Errorf("%d frames, the last of %d points", frames, solved)
	}
	for k, id := range []string{"cfm/moons", "reflow/moons"} {
		ck, err := trainer.ReadCheckpoint(filepath.Join(s.outputs.dir, id, trainer.CheckpointFile))
		check(t, err)
		config, err := ck.Record.Network()
		check(t, err)
		velocity, err := ck.Velocity(config, torch.CPU)
		check(t, err)
		precision, _, err := trainer.SamplingPrecision("auto", torch.CPU, config, false)
		check(t, err)
		solve, err := flow.NewSolver(flow.SolverConfig{Method: "midpoint", Steps: steps})
		check(t, err)
		want, err := flow.Sampling{Velocity: velocity, Shape: []int64{2}, N: count, Seed: 7, Solver: solve}.Draw(context.Background())
		check(t, err)
		if len(got[k]) != len(want.X) {
			t.Fatalf("%s: %d numbers, want %d", id, len(got[k]), len(want.X))
		}
		for i, v := range want.X {
			// In float32 what differs is the order of sums; bf16 has 8 bits of layers' inputs.
			if math.Abs(float64(v-got[k][i])) > map[string]float64{"fp32": 1e-4, "bf16": 3e-2}[precision] {
				t.Fatalf("%s: number %d is %v, want %v", id, i, got[k][i], v)
			}
		}
	}
	last := events[len(events)-1]
	if last.name != "done" || !strings.Contains(last.data, `"nfe":[10,10]`) {
		t.Errorf("it ends with %s %s", last.name, last.data)
	}
}

// The path of a point goes through it, and from its beginning leads to its end.
func TestPath(t *testing.T) {
	h := newServer(t, Options{}).Handler()
	solved := func(points ...droppedPoint) [][]pointPath {
		t.Helper()
		body, _ := json.Marshal(pathsRequest{besides{[]string{"cfm/moons"}}, points, solver{Method: "rk4", Steps: 40}})
		w := ask(h, request("POST", "/api/paths", string(body), nil))
		var got pathsAnswer
		check(t, json.Unmarshal(w.Body.Bytes(), &got))
		if len(got.Paths) != len(points) {
			t.Fatalf("%d paths of %d points: %s", len(got.Paths), len(points), w.Body)
		}
		return got.Paths
	}
	both := solved(droppedPoint{0.5, -0.25, 0.5}, droppedPoint{1, 1, 1})
	if last := both[1][0]; last.X[len(last.X)-2] != 1 || last.X[len(last.X)-1] != 1 || last.Times[0] != 0 {
		t.Errorf("the path of the second point ends at %v", last.X[len(last.X)-2:])
	}
	p := both[0][0]
	n := len(p.Times)
	if n != 41 || len(p.X) != 2*n || p.Times[0] != 0 || p.Times[n-1] != 1 || !slices.IsSorted(p.Times) {
		t.Fatalf("times %v, %d numbers", p.Times, len(p.X))
	}
	if i := slices.Index(p.Times, 0.5); i < 0 || p.X[2*i] != 0.5 || p.X[2*i+1] != -0.25 {
		t.Errorf("at t = 0.5: %v", p.X[2*i:2*i+2])
	}
	again := solved(droppedPoint{p.X[0], p.X[1], 0})[0][0]
	end := again.X[len(again.X)-2:]
	for k, v := range p.X[2*n-2:] {
		if math.Abs(float64(v-end[k])) > 1e-3 { // of rk4 there and back
			t.Errorf("from its beginning the point goes to %v, and not to %v", end, p.X[2*n-2:])
		}
	}
}

// Pictures are sample 0 of their seeds, and are saved as they were seen.
func TestPictures(t *testing.T) {
	s := newServer(t, Options{})
	h := s.Handler()
	body := `{"model":"cfm/digits","class":3,"seed":42,"seeds":[43,44],"classes":[0,1],"guidance":2,"method":"euler","steps":4}`
	events := eventsOf(t, ask(h, request("POST", "/api/pictures", body, nil)))
	var done picturesDone
	last := events[len(events)-1]
	check(t, json.Unmarshal([]byte(last.data), &done))
	if done.NFE != 8 || !strings.Contains(events[0].data, "--classes 3 --samples-per-class 1 --guidance 2 --seed 42 --method euler --steps 4") {
		t.Errorf("NFE %d, %s", done.NFE, events[0].data)
	}
	npzFile := ask(h, request("GET", "/api/result/"+done.Result+".npz", "", nil))
	got, err := npz.ReadSamples(bytes.NewReader(npzFile.Body.Bytes()), int64(npzFile.Body.Len()))
	check(t, err)
	if !slices.Equal(got.Y, []int64{3, 3, 3, 0, 1}) {
		t.Errorf("classes %v", got.Y)
	}
	for i, seed := range []int64{42, 43, 44, 42, 42} {
		want := make([]float32, 64)
		flow.Noise(want, seed, 0)
		if !slices.Equal(got.X0[64*i:64*(i+1)], want) {
			t.Errorf("picture %d does not start from the noise of seed %d", i, seed)
		}
	}
	// The last frames are the samples.
	seen := make(Bytes, len(got.X))
	for _, e := range events {
		if e.name != "frame" {
			continue
		}
		var f pictureFrame
		check(t, json.Unmarshal([]byte(e.data), &f))
		if f.Frame == 4 {
			copy(seen[64*f.First:], f.X)
		}
	}
	if !bytes.Equal(seen, levels(got.X)) {
		t.Error("the last frames are not the samples that are saved")
	}
	picture := ask(h, request("GET", "/api/result/"+done.Result+".png", "", nil))
	if !bytes.HasPrefix(picture.Body.Bytes(), []byte("\x89PNG")) || !strings.Contains(picture.Header().Get("Content-Disposition"), "digits-class-3-seed-42.png") {
		t.Errorf("the PNG: %v", picture.Header())
	}
	if w := ask(h, request("GET", "/api/result/999.png", "", nil)); w.Code != 404 {
		t.Errorf("another result: %d", w.Code)
	}
}

// A small picture alone is solved by other products than several, which give the same but
// for rounding.
func TestTinyPictures(t *testing.T) {
	s := newServer(t, Options{OutputDir: t.TempDir()})
	check(t, s.worker.Do(context.Background(), "test", Instant, func(ctx context.Context) error {
		m, err := s.models.open("pretrained/digits")
		check(t, err)
		if !m.tiny(1) || m.tiny(2) {
			t.Errorf("of digits of 8x8, one is little work: %v, two: %v", m.tiny(1), m.tiny(2))
		}
		drawn := func(n int) []float32 {
			draw, err := m.sampling(solver{Method: "midpoint", Steps: 4}, n)
			check(t, err)
			draw.Seed, draw.Labels, draw.FrameTimes = 3, []int64{5, 6}[:n], nil
			out, err := draw.Draw(ctx)
			check(t, err)
			return out.X[:64]
		}
		alone, beside := drawn(1), drawn(2)
		for i, v := range alone {
			if math.Abs(float64(v-beside[i])) > 0.05 { // of bf16's 8 bits through 8 evaluations
				t.Errorf("pixel %d is %v alone and %v beside another", i, v, beside[i])
			}
		}
		return nil
	}))
}

// A drawing is trained on as bin/train would, and is a model of the page afterwards.
func TestTrainOnDrawing(t *testing.T) {
	s := newServer(t, Options{})
	h := s.Handler()
	var points []float32
	for i := range 200 {
		a := float64(i) / 200 * 2 * math.Pi
		points = append(points, float32(2*math.Cos(a)), float32(2*math.Sin(a)))
	}
	body, _ := json.Marshal(trainRequest{Points: points, Iterations: 300, Seed: 42})
	events := eventsOf(t, ask(h, request("POST", "/api/train", string(body), nil)))
	var names []string
	var film trainFilm
	for _, e := range events {
		if e.name == "film" {
			check(t, json.Unmarshal([]byte(e.data), &film))
		}
		if !slices.Contains(names, e.name) {
			names = append(names, e.name)
		}
	}
	if !slices.Equal(names, []string{"start", "progress", "film", "done"}) {
		t.Fatalf("events %q", names)
	}
	// Samples at t = 1 lie near the ring.
	far := 0
	end := film.X[len(film.X)-1]
	for i := 0; i < len(end); i += 2 {
		if r := math.Hypot(float64(end[i]), float64(end[i+1])); math.Abs(r-2) > 0.5 {
			far++
		}
	}
	if far > len(end)/2/10 {
		t.Errorf("%d of %d samples are far from the ring", far, len(end)/2)
	}
	var done trainDone
	check(t, json.Unmarshal([]byte(events[len(events)-1].data), &done))
	if w := ask(h, request("POST", "/api/target", `{"model":"`+done.Model+`"}`, nil)); w.Code != 200 {
		t.Errorf("the model %s: %d %s", done.Model, w.Code, w.Body)
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
