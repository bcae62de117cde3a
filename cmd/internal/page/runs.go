package page

import (
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"flowmatch/cmd/internal/snapshots"
	"flowmatch/trainer"
)

// Run is a training run as the page lists it.
type Run struct {
	ID       string     `json:"id"` // "cfm/moons"
	Family   string     `json:"family"`
	Set      string     `json:"set"`
	Live     bool       `json:"live,omitempty"`
	Aside    bool       `json:"aside,omitempty"` // moved out of the way by a fresh run
	Updated  int64      `json:"updated"`         // when it last learnt or saved; milliseconds since 1970
	Changed  int64      `json:"changed"`         // when a file of it last changed: its pictures' addresses have it
	Losses   bool       `json:"losses,omitempty"`
	Pictures []string   `json:"pictures,omitempty"` // names of files in its folder
	Progress []snapshot `json:"progress,omitempty"`
	Command  string     `json:"command,omitempty"`
	Problem  string     `json:"problem,omitempty"` // what is wrong with its weights
}

// snapshot is a picture of what the run had learnt at a step.
type snapshot struct {
	Step int    `json:"step"`
	File string `json:"file"`
}

// shownFile are the names of pictures that are shown.
var shownFile = regexp.MustCompile(`^[A-Za-z0-9_.-]+\.(png|gif)$`)

// progressFile is a grid of samples at a step: 000800.png.
var progressFile = regexp.MustCompile(`^(\d+)\.png$`)

func (s *Server) runs(folders []folder) []Run {
	problems := map[string]string{}
	for _, m := range s.catalog.models(folders) {
		problems[m.ID] = m.Problem
	}
	all := []Run{}
	for _, d := range folders {
		r := Run{ID: d.id, Family: d.family, Set: d.set, Live: s.pulses.live(d), Aside: d.aside()}
		r.Updated = learnt(d, r.Live)
		for name, in := range d.files {
			r.Changed = max(r.Changed, in.ModTime().UnixMilli())
			// The curve of the losses is drawn by the page, and the film's pictures have a slider.
			if shownFile.MatchString(name) && name != "losses.png" && name != snapshots.FilmFile {
				r.Pictures = append(r.Pictures, name)
			}
		}
		if len(d.files) == 0 {
			continue
		}
		slices.Sort(r.Pictures)
		_, r.Losses = d.files[trainer.MetricsFile]
		for _, name := range d.progress {
			if m := progressFile.FindStringSubmatch(name); m != nil {
				step, err := strconv.Atoi(m[1])
				if err == nil {
					r.Progress = append(r.Progress, snapshot{step, snapshots.Dir + "/" + name})
				}
			}
		}
		slices.SortFunc(r.Progress, func(a, b snapshot) int { return a.Step - b.Step })
		r.Problem = problems[d.id]
		if _, ok := d.files[trainer.CheckpointFile]; ok && r.Problem == "" {
			m := Model{Family: d.family, Set: d.set, file: d.id + "/" + trainer.CheckpointFile}
			r.Command = shell(append([]string{"bin/sample"}, s.modelFlags(m)...))
		}
		all = append(all, r)
	}
	slices.SortStableFunc(all, func(a, b Run) int { return int(b.Updated/1000 - a.Updated/1000) })
	return all
}

// learnt is when a run last did a step or saved one. Resuming a run that has all its steps
// writes its files anew, but for the state.
func learnt(d folder, live bool) (ms int64) {
	names := []string{trainer.StateFile, trainer.MetricsFile, trainer.CheckpointFile}
	if live {
		names[0], names[1] = names[1], names[0]
	}
	for _, name := range names {
		if in, ok := d.files[name]; ok {
			return in.ModTime().UnixMilli()
		}
	}
	for _, in := range d.files {
		ms = max(ms, in.ModTime().UnixMilli())
	}
	return ms
}

var runName = regexp.MustCompile(`^(` + strings.Join(families, "|") + `)/[^/\\\x00]+$`)

// file answers with a picture of a run: cfm/digits/progress/000800.png.
func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("path")
	if !shownFile.MatchString(path.Base(name)) {
		fail(w, &refusal{http.StatusForbidden, "only pictures are shown"})
		return
	}
	f, in, err := s.outputs.open(name)
	if err != nil {
		fail(w, err)
		return
	}
	defer f.Close()
	kind := "image/png"
	if strings.HasSuffix(name, ".gif") {
		kind = "image/gif"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", in.ModTime(), f)
}

// watchEvery is how often a run's metrics are looked at.
const watchEvery = 400 * time.Millisecond

type watchRequest struct {
	Run string `json:"run"`
}

func (a *watchRequest) check() error {
	if !runName.MatchString(a.Run) {
		return refusef("a run is named %s/SET", strings.Join(families, ", "))
	}
	return nil
}

// watch streams the losses of a run, those there are and those that come.
func (s *Server) watch(w http.ResponseWriter, r *http.Request) {
	ask, err := read[watchRequest](r)
	if err != nil {
		fail(w, err)
		return
	}
	tail := &metricsTail{outputs: s.outputs, path: ask.Run + "/" + trainer.MetricsFile}
	first, err := tail.more()
	if err != nil {
		fail(w, err)
		return
	}
	out := newEventWriter(w)
	me := s.news.join()
	defer s.news.leave(me)
	if out.write(encodeEvent("losses", first)) != nil {
		return
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-me.crowded:
			_ = out.write(encodeEvent("failure", failure{"too many pages follow runs: this one has stopped"}))
			return
		case <-tick.C:
		}
		more, err := tail.more()
		switch {
		case err != nil:
			_ = out.write(encodeEvent("failure", failure{plain(err)}))
			return
		case more == nil:
			continue
		}
		if out.write(encodeEvent("losses", more)) != nil {
			return
		}
		s.news.heard(me)
	}
}

// losses are those of steps in order, in parts of so many that a chart can show them: the
// least, the mean and the greatest of each part, by its last step.
type losses struct {
	Reset bool      `json:"reset,omitempty"` // what was sent before is of another run
	Step  []int     `json:"step"`
	Low   []float64 `json:"low"`
	Mean  []float64 `json:"mean"`
	High  []float64 `json:"high"`
	Rate  float64   `json:"rate,omitempty"` // steps a second, while the run goes on
}

// mostParts is how many parts the losses that are there are sent in.
const mostParts = 600
