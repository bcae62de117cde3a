package page

import (
	"encoding/json"
	"strings"
	"testing"
)

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
