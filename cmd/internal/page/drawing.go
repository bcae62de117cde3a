package page

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets/plane"
	"flowmatch/flow"
	"flowmatch/models"
	"flowmatch/trainer"
	"flowmatch/trainer/recipe"
	"flowmatch/trainer/trained"
	"flowmatch/viz"
)

// A drawing is a set of points that somebody drew, and what is trained on it is a small
// network: it is there in seconds, and the page shows the field as it forms.
const (
	leastDrawn, mostDrawn = 20, 8000
	drawnHidden           = 128
	drawnBatch            = 256
	mostDrawnSteps        = 10_000

	drawnSide   = 17  // arrows of the field on a side
	drawnPoints = 400 // samples on their way
	drawnSteps  = 10  // of their solver, midpoint

	filmEvery = 150 * time.Millisecond
	lookEvery = 50 * time.Millisecond // at most so long does a click wait
)

// drawingData is a drawing as the commands know it, once it is saved.
const drawingData = "points:drawing.csv"

// drawnConfig is the recipe for points with a small batch.
func drawnConfig(set *plane.Set, iterations int, seed int64) (trainer.Config, error) {
	r := recipe.For(set.Info)
	r.Config.Iterations, r.Config.BatchSize, r.Config.Seed = iterations, drawnBatch, seed
	return r.Settle(set.Len())
}

type trainRequest struct {
	Points     []float32 `json:"points"` // [N,2], flat
	Iterations int       `json:"iterations"`
	Seed       int64     `json:"seed"`
}

func (a *trainRequest) check() error {
	switch n := len(a.Points); {
	case n%2 != 0 || n/2 > mostDrawn:
		return refusef("a drawing is at most %d points", mostDrawn)
	case n/2 < leastDrawn:
		return refusef("a drawing is at least %d points", leastDrawn)
	case a.Iterations < 1 || a.Iterations > mostDrawnSteps:
		return refusef("1 to %d steps", mostDrawnSteps)
	}
	for _, v := range a.Points {
		if !(math.Abs(float64(v)) <= 100) {
			return refusef("the points of a drawing lie within 100 of the middle")
		}
	}
	return nil
}

// set opens the points as bin/train would open them from a file.
func (a *trainRequest) set() (*plane.Set, error) {
	dir, err := os.MkdirTemp("", "flowmatch-drawing-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "drawing.csv")
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	w := bufio.NewWriter(f)
	for i := 0; i < len(a.Points); i += 2 {
		fmt.Fprintf(w, "%v,%v\n", a.Points[i], a.Points[i+1])
	}
	if err := w.Flush(); err != nil {
		f.Close()
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	return plane.Open("points:" + path)
}

type trainStart struct {
	Command string    `json:"command"`
	Total   int       `json:"total"`
	Side    int       `json:"side"`
	Times   []float64 `json:"times"`
}

// trainProgress comes at each look at the run.
type trainProgress struct {
	Step int       `json:"step"`
	Loss []float64 `json:"loss"` // of the steps since the last one
	Rate float64   `json:"rate"` // steps a second
}

// trainFilm is what the network has learnt up to a step, at the times of trainStart.
type trainFilm struct {
	Step int      `json:"step"`
	X    []Floats `json:"x"` // at each time, [drawnPoints,2]
	V    []Floats `json:"v"` // at each time, [Side,Side,2], rows from the bottom
}

type trainDone struct {
	Step  int    `json:"step"`
	Took  int64  `json:"took"`
	Model string `json:"model"` // to be looked at in other views
}

// train trains on a drawing and streams what becomes of it.
func (s *Server) train(ctx context.Context, ask *trainRequest, out *stream) error {
	set, err := ask.set()
	if err != nil {
		return err
	}
	torch.ManualSeed(ask.Seed)
	net, err := models.MLPConfig{HiddenDim: drawnHidden}.Build()
	if err != nil {
		return err
	}
	net.To(s.device)
	film := &drawingFilm{server: s, frame: set.Frame, velocity: net.Velocity}
	film.prepare()
	command := shell([]string{"bin/train", "--dataset", drawingData, "--hidden-dim", itoa(drawnHidden), "--batch-size", itoa(drawnBatch),
		"--iterations", itoa(ask.Iterations), "--seed", itoa(ask.Seed)})
	seen := drawnTraining{of: ask.digest(), Start: trainStart{command, ask.Iterations, drawnSide, film.times}}
	out.send("start", seen.Start)
	var shown time.Time
	look := func(l trainer.Look) {
		p := trainProgress{Step: l.Step, Rate: l.StepsPerSecond}
		for _, m := range l.Steps {
			if m.Loss != nil {
				p.Loss = append(p.Loss, *m.Loss)
			}
		}
		out.send("progress", p)
		seen.saw(p)
		if ctx.Err() == nil && time.Since(shown) >= filmEvery && !out.behind() {
			if f, err := film.take(ctx, l.Step); err == nil {
				out.send("film", f)
			}
			shown = time.Now()
		}
		s.worker.Breathe()
	}
	config, err := drawnConfig(set, ask.Iterations, ask.Seed)
	if err != nil {
		return err
	}
	run := trainer.Run{
		Config: config, Network: net, Open: trainer.Data(set), Device: s.device,
		Interval: lookEvery, Observers: []trainer.Observer{trainer.Watch(look)},
	}
	done, err := run.Train(ctx, nil)
	if err != nil {
		return err
	}
	learnt := &trained.Model{Checkpoint: done.Checkpoint, Config: net.Config(), Info: set.Info, Shape: []int{2}, PerSample: net.Config().SampleBytes()}
	if film.velocity, err = learnt.Velocity(s.device); err != nil {
		return err
	}
	if seen.Film, err = film.take(ctx, done.Steps); err != nil {
		return err
	}
	out.send("film", seen.Film)
	seen.Done = trainDone{Step: done.Steps, Took: done.Time.Milliseconds()}
	out.send("done", s.keepDrawn(set, learnt, seen))
	return nil
}

// drawingFilm shows what a network has learnt, in the units of the drawing.
type drawingFilm struct {
	server   *Server
	frame    *plane.Frame
	velocity flow.Velocity

	solver flow.Solver
	times  []float64
	places []float32 // of the field, as the flow has them
}

// drawnReach is the page's square for drawing, from -drawnReach to drawnReach.
const drawnReach = noiseReach

func (f *drawingFilm) prepare() {
	f.solver, f.times, _ = solver{Method: "midpoint", Steps: drawnSteps}.make(false)
	f.places = viz.FieldGrid(viz.Range{X0: -drawnReach, X1: drawnReach, Y0: -drawnReach, Y1: drawnReach}, drawnSide)
	if f.frame != nil {
		for i, v := range f.places {
			f.places[i] = float32((float64(v) - f.frame.Middle[i%2]) / f.frame.Spread[i%2])
		}
	}
}

func (f *drawingFilm) take(ctx context.Context, step int) (*trainFilm, error) {
	shot := &trainFilm{Step: step}
	for _, t := range f.times {
		v := evaluate(f.velocity, f.server.device, f.places, t)
		if f.frame != nil {
			for i := range v {
				v[i] *= float32(f.frame.Spread[i%2])
			}
		}
		shot.V = append(shot.V, v)
	}
	_, err := flow.Sampling{
		Velocity: f.velocity, Device: f.server.device, Solver: f.solver, Shape: []int64{2}, N: drawnPoints, Seed: 1, FrameTimes: f.times,
		Observe: func(_, _ int, x []float32) { shot.X = append(shot.X, f.frame.Back(x)) },
	}.Draw(ctx)
	return shot, err
}

// mostDrawnModels is how many drawings stay in memory.
const mostDrawnModels = 3

// keepDrawn makes a model of the page's own of a trained drawing; on the worker.
func (s *Server) keepDrawn(set *plane.Set, learnt *trained.Model, seen drawnTraining) trainDone {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.models.count++
	m := Model{
		ID: fmt.Sprintf("drawn/%d", s.models.count), Kind: "points", Set: fmt.Sprintf("drawing %d", s.models.count), Family: "drawn",
		Step: seen.Done.Step, Total: seen.Done.Step, Shape: []int{2}, Updated: time.Now().UnixMilli(), made: seen.Start.Command,
	}
	k := &opened{Model: m, file: learnt, device: s.device, set: set}
	seen.Done.Model = m.ID
	s.drawn, s.kept = append(s.drawn, m), append(s.kept, seen)
	s.models.drawn = append(s.models.drawn, k)
	if n := len(s.drawn) - mostDrawnModels; n > 0 {
		s.drawn, s.kept, s.models.drawn = s.drawn[n:], s.kept[n:], s.models.drawn[n:]
	}
	return seen.Done
}
