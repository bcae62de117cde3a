package compare

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"flowmatch/cmd/internal/cli"
)

func example() *report {
	r := &report{Dataset: "moons", SW2Floor: cli.Finite(0.0095), Samples: 20_000, Points: 4000, Film: "a.gif", Figure: "b.png"}
	r.Models[0] = results{Name: "flow matching", Checkpoint: "cfm.pth", Results: []entry{
		{Method: "euler", Steps: 1, NFE: 1, NLLNFE: 1, SW2: cli.Finite(0.664), NLL: cli.Finite(math.NaN())},
		{Method: "euler", Steps: 4, NFE: 4, NLLNFE: 4, SW2: cli.Finite(0.185), NLL: cli.Finite(0.3)},
		{Method: "dopri5", NFE: 62, NLLNFE: 70, SW2: cli.Finite(0.0226), NLL: cli.Finite(0.228), NLLStderr: cli.Finite(0.012)},
	}}
	r.Models[1] = results{Name: "rectified", Checkpoint: "reflow.pth", Results: []entry{
		{Method: "euler", Steps: 1, NFE: 1, NLLNFE: 1, SW2: cli.Finite(0.0245), NLL: cli.Finite(0.301)},
		{Method: "euler", Steps: 4, NFE: 4, NLLNFE: 4, SW2: cli.Finite(math.Inf(1)), NLL: cli.Finite(0.295)},
		{Method: "dopri5", NFE: 20, NLLNFE: 26, SW2: cli.Finite(0.0229), NLL: cli.Finite(0.293)},
	}}
	return r
}

// TestTable: every number stands in its column; what is no number is a dash.
func TestTable(t *testing.T) {
	var b bytes.Buffer
	if err := example().table(&b); err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for line := range strings.Lines(b.String()) {
		if f := strings.Fields(line); len(f) > 0 {
			rows[f[0]] = f
		}
	}
	for name, want := range map[string]string{
		"euler:1": "euler:1 1 0.6640 0.0245 - 0.301",
		"euler:4": "euler:4 4 0.1850 - 0.300 0.295",
		"dopri5":  "dopri5 62, 20 0.0226 0.0229 0.228 0.293",
	} {
		if got := strings.Join(rows[name], " "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for _, want := range []string{"cfm.pth", "reflow.pth", "20,000 samples", "0.0095", "4,000 fresh points, ± 0.012"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, &b)
		}
	}
	if strings.Contains(b.String(), "entropy, the least") {
		t.Error("an entropy that is unknown is named")
	}
}

// A distance below that of data to data is no merit, and the table says so.
func TestTableBelowFloor(t *testing.T) {
	for floor, want := range map[float64]bool{0.0225: false, 0.0227: true} {
		var b bytes.Buffer
		r := example()
		r.SW2Floor = &floor
		if err := r.table(&b); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(b.String(), "below it is as near as the set to itself"); got != want {
			t.Errorf("floor %v: %s", floor, &b)
		}
	}
}

// TestNotFinite: compare fails by these.
func TestNotFinite(t *testing.T) {
	got := strings.Join(example().notFinite(), ", ")
	if want := "nll of flow matching by euler:1, sw2 of rectified by euler:4"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	if err := example().json(&b); err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b.Bytes(), &m); err != nil || bytes.Count(b.Bytes(), []byte("\n")) != 1 {
		t.Fatalf("%v: %s", err, &b)
	}
	first := m["models"].([]any)[0].(map[string]any)["results"].([]any)[0].(map[string]any)
	if _, there := first["nll"]; there || first["sw2"] != 0.664 {
		t.Errorf("%v", first)
	}
}

// TestLines: a line for each method and model, gaps left out, pairs by method.
func TestLines(t *testing.T) {
	lines := example().lines(func(e entry) (int, *float64) { return e.NLLNFE, e.NLL })
	if len(lines) != 4 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, want := range []struct {
		label string
		pair  int
		x     []float64
	}{{"flow matching, euler", 1, []float64{4}}, {"rectified, euler", 1, []float64{1, 4}}, {"flow matching, dopri5", 2, []float64{70}}, {"rectified, dopri5", 2, []float64{26}}} {
		l := lines[i]
		if l.Label != want.label || l.Pair != want.pair || len(l.X) != len(want.x) || l.X[0] != want.x[0] || len(l.Y) != len(l.X) {
			t.Errorf("%+v, want %+v", l, want)
		}
	}
	if b := example().draw().Bounds(); b.Dx() != 1520 {
		t.Errorf("%v", b)
	}
}
