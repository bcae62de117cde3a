package page

import (
	"context"
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/flow"
	"flowmatch/trainer"
)

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
