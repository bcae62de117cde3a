package page

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"image/png"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"flowmatch/datasets/npz"
	"flowmatch/flow"
	"flowmatch/viz"
)

// What the page asks of models of pictures: one picture, and beside it rows of others
// from other seeds and, from the same noise, of other classes.
const (
	mostRow      = 12
	mostGuidance = 20
)

// Bytes are grey levels for the page, in base64.
type Bytes []byte

type picturesRequest struct {
	Model    string  `json:"model"`
	Class    int     `json:"class"`
	Seed     int64   `json:"seed"`
	Seeds    []int64 `json:"seeds"`   // of the row of seeds, of the class
	Classes  []int   `json:"classes"` // of the row of classes, of the seed
	Guidance float64 `json:"guidance"`
	solver
}

// item is a picture: sample 0 of a seed, so that each is what the sample command with
// that seed draws.
type item struct {
	class int64 // -1 where the model has none
	seed  int64
}

type picturesStart struct {
	Shape   []int     `json:"shape"`
	Times   []float64 `json:"times"`
	Command string    `json:"command"`
}

// pictureFrame has pictures from first on at a frame's time. x: [n,C,H,W].
type pictureFrame struct {
	Frame int   `json:"frame"`
	First int   `json:"first"`
	X     Bytes `json:"x"`
}

type picturesDone struct {
	NFE    int    `json:"nfe"`
	Took   int64  `json:"took"`
	Result string `json:"result"` // the name to save it by
}

func (a *picturesRequest) check() error {
	switch {
	case len(a.Seeds) > mostRow || len(a.Classes) > mostRow:
		return refusef("at most %d pictures a row", mostRow)
	case !(a.Guidance >= 0 && a.Guidance <= mostGuidance):
		return refusef("guidance is 0 to %d", mostGuidance)
	}
	return a.solver.check()
}

// items are the pictures in order: the one that is looked at, the seeds, the classes.
func (a *picturesRequest) items(m Model) ([]item, error) {
	class := func(c int) (int64, error) {
		switch {
		case m.Classes == 0:
			return -1, nil
		case c < 0 || c >= m.Classes:
			return 0, refusef("the classes are 0 to %d", m.Classes-1)
		}
		return int64(c), nil
	}
	c, err := class(a.Class)
	if err != nil {
		return nil, err
	}
	all := []item{{c, a.Seed}}
	for _, s := range a.Seeds {
		all = append(all, item{c, s})
	}
	for _, k := range a.Classes {
		if m.Classes == 0 {
			break
		}
		if c, err = class(k); err != nil {
			return nil, err
		}
		all = append(all, item{c, a.Seed})
	}
	return all, nil
}

// pictures streams pictures as they are solved.
func (s *Server) pictures(ctx context.Context, ask *picturesRequest, out *stream) error {
	begin := time.Now()
	m, err := s.models.open(ask.Model)
	if err != nil {
		return err
	}
	if m.Kind != "images" {
		return refusef("%s is not a model of pictures", ask.Model)
	}
	items, err := ask.items(m.Model)
	if err != nil {
		return err
	}
	var guidance *flow.Guidance
	if ask.Guidance != 1 {
		if m.Classes == 0 || !m.Null {
			return refusef("the model was not trained for guidance")
		}
		guidance = &flow.Guidance{Scale: ask.Guidance, From: 0, To: 1, Null: m.file.Null()}
	}
	_, times, err := ask.make(m.OneStep)
	if err != nil {
		return err
	}
	out.send("start", picturesStart{m.Shape, times, s.picturesCommand(m.Model, ask)})
	dim := m.file.Info.Dim()
	kept := &result{model: m.Model, shape: m.Shape, items: items, seeds: len(ask.Seeds)}
	nfe := 0
	// The one that is looked at comes first, then the others together.
	for _, part := range [][2]int{{0, 1}, {1, len(items)}} {
		for first := part[0]; first < part[1]; {
			last := min(part[1], first+max(1, m.file.Batch(m.device)/2))
			draw, err := m.sampling(ask.solver, last-first)
			if err != nil {
				return err
			}
			draw.Guidance = guidance
			for _, it := range items[first:last] {
				draw.X0 = append(draw.X0, noise(dim, it.seed, 0, 1)...)
				if m.Classes > 0 {
					draw.Labels = append(draw.Labels, it.class)
				}
			}
			at := first
			draw.Observe = func(frame, first int, x []float32) {
				out.send("frame", pictureFrame{frame, at + first, levels(x)})
				s.worker.Breathe()
			}
			done, err := draw.Draw(ctx)
			if err != nil {
				return err
			}
			kept.x, kept.x0, nfe = append(kept.x, done.X...), append(kept.x0, draw.X0...), done.NFE
			first = last
		}
	}
	out.send("done", picturesDone{nfe, time.Since(begin).Milliseconds(), s.results.keep(kept)})
	return nil
}

func (s *Server) picturesCommand(m Model, a *picturesRequest) string {
	more := []string{"--num-samples", "1"}
	if m.Classes > 0 {
		more = []string{"--classes", itoa(a.Class), "--samples-per-class", "1"}
		if a.Class < len(m.ClassNames) {
			more[1] = m.ClassNames[a.Class]
		}
	}
	if a.Guidance != 1 {
		more = append(more, "--guidance", fmt.Sprint(a.Guidance))
	}
	return s.sampleCommand(m, a.Seed, a.solver, more...)
}

// levels are values around [-1,1] as 0 to 255, clamped.
func levels(x []float32) Bytes {
	b := make(Bytes, len(x))
	for i, v := range x {
		switch {
		case v >= 1:
			b[i] = 255
		case v > -1:
			b[i] = byte((v+1)*127.5 + 0.5)
		}
	}
	return b
}

// result is what was sampled, to save.
type result struct {
	model Model
	shape []int
	items []item
	seeds int // of items after the first
	x, x0 []float32
}

// results keeps the last ones.
type results struct {
	mu    sync.Mutex
	next  int
	names []string
	byID  map[string]*result
}

const mostResults = 8

func (r *results) keep(k *result) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byID == nil {
		r.byID = map[string]*result{}
	}
	r.next++
	name := itoa(r.next)
	r.names, r.byID[name] = append(r.names, name), k
	if len(r.names) > mostResults {
		delete(r.byID, r.names[0])
		r.names = r.names[1:]
	}
	return name
}

func (r *results) get(name string) *result {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byID[name]
}

// result answers with what was sampled, as N.png or N.npz.
func (s *Server) result(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	ending := path.Ext(name)
	k := s.results.get(strings.TrimSuffix(name, ending))
	var b bytes.Buffer
	var err error
	switch {
	case k == nil:
		err = &refusal{http.StatusNotFound, "these samples are no longer kept: sample them again"}
	case ending == ".png":
		w.Header().Set("Content-Type", "image/png")
		err = k.png(&b)
	case ending == ".npz":
		w.Header().Set("Content-Type", "application/octet-stream")
		err = k.npz(&b)
	default:
		err = &refusal{http.StatusNotFound, "a result is saved as .png or .npz"}
	}
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", k.file()+ending))
	w.Header().Set("Cache-Control", "no-store")
	_, _ = b.WriteTo(w)
}

// file is a name for what is saved: "digits-class-3-seed-42".
func (k *result) file() string {
	name := k.model.Set
	if k.items[0].class >= 0 {
		name += "-class-" + itoa(k.items[0].class)
	}
	return name + "-seed-" + itoa(k.items[0].seed)
}

// png draws the row of seeds above that of classes. The one that is looked at is part of
// both.
func (k *result) png(w *bytes.Buffer) error {
	order := func(first, last int, by func(item) int64) []int {
		row := []int{0}
		for i := first; i < last; i++ {
			row = append(row, i)
		}
		slices.SortFunc(row, func(a, b int) int { return cmp.Compare(by(k.items[a]), by(k.items[b])) })
		return row
	}
	seeds := order(1, 1+k.seeds, func(it item) int64 { return it.seed })
	classes := order(1+k.seeds, len(k.items), func(it item) int64 { return it.class })
	columns := make([][]int, max(len(seeds), len(classes)))
	for _, row := range [][]int{seeds, classes} {
		for i, at := range row {
			if len(row) > 1 || len(k.items) == 1 && len(columns[i]) == 0 {
				columns[i] = append(columns[i], at)
			}
		}
	}
	img, err := viz.ImageGrid(viz.Pictures{Shape: [3]int(k.shape), X: k.x}, viz.GridConfig{Layout: viz.Layout{Columns: columns}})
	if err != nil {
		return err
	}
	return png.Encode(w, img)
}

// npz has the samples, their classes and their noise, the one that was looked at first.
func (k *result) npz(w *bytes.Buffer) error {
	out := &npz.Samples{Shape: k.shape, X: k.x, X0: k.x0}
	if k.model.Classes > 0 {
		for _, it := range k.items {
			out.Y = append(out.Y, it.class)
		}
	}
	return npz.WriteSamples(w, out)
}
