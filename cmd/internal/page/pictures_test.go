package page

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"flowmatch/datasets/npz"
	"flowmatch/flow"
)

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
