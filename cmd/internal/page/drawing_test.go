package page

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// ring is the request to train on a ring.
func ring(iterations int, seed int64) string {
	a := trainRequest{Iterations: iterations, Seed: seed}
	for i := range 100 {
		at := float64(i) / 100 * 2 * math.Pi
		a.Points = append(a.Points, float32(2*math.Cos(at)), float32(2*math.Sin(at)))
	}
	b, _ := json.Marshal(a)
	return string(b)
}

// What was learnt of a drawing is shown again to whoever draws the same.
func TestKeptTraining(t *testing.T) {
	h := newServer(t, Options{}).Handler()
	kept := func(body string) *drawnTraining {
		t.Helper()
		w := ask(h, request("POST", "/api/kept", body, func(r *http.Request) { r.Header.Set(pageHeader, "test-page-2") }))
		var a keptAnswer
		if w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		check(t, json.Unmarshal(w.Body.Bytes(), &a))
		return a.Kept
	}
	if kept(ring(40, 1)) != nil {
		t.Error("nothing was trained yet")
	}
	var film, done string
	for _, e := range eventsOf(t, ask(h, request("POST", "/api/train", ring(40, 1), nil))) {
		switch e.name {
		case "film":
			film = e.data
		case "done":
			done = e.data
		}
	}
	k := kept(ring(40, 1))
	if k == nil {
		t.Fatal("nothing is kept")
	}
	gotFilm, _ := json.Marshal(k.Film)
	gotDone, _ := json.Marshal(k.Done)
	if string(gotFilm) != film || string(gotDone) != done || k.Start.Total != 40 || len(k.Steps) == 0 || k.Steps[len(k.Steps)-1] != 40 || len(k.Loss) != len(k.Steps) {
		t.Errorf("kept: %+v, %s; seen: %s", k.Start, gotDone, done)
	}
	for what, body := range map[string]string{"seed": ring(40, 2), "number of steps": ring(41, 1)} {
		if kept(body) != nil {
			t.Errorf("another %s is the same", what)
		}
	}
	for range mostDrawnModels {
		ask(h, request("POST", "/api/train", ring(1, 9), nil))
	}
	if kept(ring(40, 1)) != nil {
		t.Error("it is kept though its model is not")
	}
}

// untilEvent notes when an event of a name is first written.
type untilEvent struct {
	name string
	seen chan struct{}
	once sync.Once
}

func (u *untilEvent) Header() http.Header { return http.Header{} }
func (u *untilEvent) WriteHeader(int)     {}
func (u *untilEvent) Flush()              {}
func (u *untilEvent) Write(b []byte) (int, error) {
	if strings.Contains(string(b), "event: "+u.name+"\n") {
		u.once.Do(func() { close(u.seen) })
	}
	return len(b), nil
}

// Whoever leaves ends what is trained, and another page's training has its turn.
func TestLeavingEndsATraining(t *testing.T) {
	h := newServer(t, Options{}).Handler()
	train := func(ctx context.Context, page, body, until string) (seen, ended chan struct{}) {
		seen, ended = make(chan struct{}), make(chan struct{})
		r := request("POST", "/api/train", body, func(r *http.Request) { r.Header.Set(pageHeader, page) })
		go func() {
			defer close(ended)
			h.ServeHTTP(&untilEvent{name: until, seen: seen}, r.WithContext(ctx))
		}()
		return seen, ended
	}
	wait := func(what string, c chan struct{}) {
		t.Helper()
		select {
		case <-c:
		case <-time.After(30 * time.Second):
			t.Fatal(what)
		}
	}
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	begun, first := train(ctx, "test-page-1", ring(mostDrawnSteps, 1), "progress")
	wait("the first does not begin", begun)
	_, refused := train(context.Background(), "test-page-2", ring(1, 2), "done")
	wait("the second waits", refused)
	select {
	case <-first:
		t.Error("another page's training ends this one")
	default:
	}
	leave()
	wait("the first does not end", first)
	done, second := train(context.Background(), "test-page-2", ring(1, 2), "done")
	wait("the second is not done", done)
	wait("the second does not end", second)
}

// Of two pages' trainings one goes on, and the other is told so at once: it keeps no
// connection while it waits. A page's own newer one takes the place of its older.
func TestOneTrainingGoesOn(t *testing.T) {
	h := newServer(t, Options{}).Handler()
	train := func(page, body string, w http.ResponseWriter) {
		h.ServeHTTP(w, request("POST", "/api/train", body, func(r *http.Request) { r.Header.Set(pageHeader, page) }))
	}
	older := &untilEvent{name: "progress", seen: make(chan struct{})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		train("test-page-1", ring(mostDrawnSteps, 1), older)
	}()
	<-older.seen
	other := httptest.NewRecorder()
	train("test-page-2", ring(1, 1), other)
	if events := eventsOf(t, other); len(events) != 1 || events[0].name != "busy" {
		t.Errorf("another page has %v", events)
	}
	own := httptest.NewRecorder()
	train("test-page-1", ring(1, 1), own)
	if events := eventsOf(t, own); events[len(events)-1].name != "done" {
		t.Errorf("the page's own newer one has %v", events)
	}
	<-ended
	again := httptest.NewRecorder()
	train("test-page-2", ring(1, 1), again)
	if events := eventsOf(t, again); events[len(events)-1].name != "done" {
		t.Errorf("the other page, asking again, has %v", events)
	}
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
