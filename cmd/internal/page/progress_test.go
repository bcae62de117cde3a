package page

import (
	"context"
	"encoding/json"
	"fmt"
	"image"
	"path/filepath"
	"slices"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/snapshots"
	"flowmatch/flow"
	"flowmatch/trainer"
)

// blank paints nothing.
type blank struct{}

func (blank) Evaluations() int { return 1 }
func (blank) Paint(context.Context, flow.Velocity, string) (image.Image, error) {
	return image.NewGray(image.Rect(0, 0, 4, 4)), nil
}

// What a training draws on its way is what the page lists and shows, by its steps; the film
// of it is not shown beside the slider.
func TestProgressOfATraining(t *testing.T) {
	dir := copied(t)
	o := &snapshots.Observer{Run: filepath.Join(dir, "cfm", "digits"), Name: "digits", Painter: blank{}, Total: 1_200_000, Every: 400_000, Note: func(s string) { t.Error(s) }}
	check(t, o.Start(nil))
	for step := o.Due(); step != 0; step = o.Due() {
		check(t, o.Look(trainer.Look{Progress: trainer.Progress{Step: step}, Learnt: func(f func(flow.Velocity) error) error {
			return f(func(x, _, _ torch.Tensor) torch.Tensor { return x })
		}}))
	}
	if _, err := o.Film(); err != nil {
		t.Fatal(err)
	}
	h := newServer(t, Options{OutputDir: dir}).Handler()
	var state pageState
	check(t, json.Unmarshal(ask(h, request("GET", "/api/state", "", nil)).Body.Bytes(), &state))
	at := slices.IndexFunc(state.Runs, func(r Run) bool { return r.ID == "cfm/digits" })
	if at < 0 {
		t.Fatalf("%+v", state.Runs)
	}
	run := state.Runs[at]
	if got, want := fmt.Sprint(run.Progress), "[{400000 progress/400000.png} {800000 progress/800000.png} {1200000 progress/1200000.png}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if slices.Contains(run.Pictures, snapshots.FilmFile) {
		t.Errorf("%v", run.Pictures)
	}
	for _, p := range run.Progress {
		if w := ask(h, request("GET", "/api/file/cfm/digits/"+p.File, "", nil)); w.Code != 200 || w.Header().Get("Content-Type") != "image/png" {
			t.Errorf("%s: %d", p.File, w.Code)
		}
	}
}
