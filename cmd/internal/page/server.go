package page

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/cli"
	"flowmatch/flow"
	"flowmatch/trainer"
)

//go:embed static
var static embed.FS

// Options say what a server serves. OutputDir must be set.
type Options struct {
	OutputDir string
	Version   string // shown on the page
	// Token is asked of everybody, if it is set; without one only this machine's names
	// are answered to.
	Token string
	Hosts []string // names, beside addresses, that the server goes by where there is a token
	// Device opens the device to compute on; it is called on the worker's thread. nil: the
	// processor.
	Device func() (torch.Device, error)
}

// Server is the page's server.
type Server struct {
	outputs outputs
	version string
	token   string
	hosts   []string
	boot    string // another one after each start

	worker  *Worker
	device  torch.Device
	models  *opening
	catalog catalog
	results results
	pulses  pulses
	news    listeners

	mu    sync.Mutex
	drawn []Model         // trained on the page, in memory alone
	kept  []drawnTraining // what was seen of their trainings

	places               [kindsOfAnswers]chan struct{} // for answers that may be under way
	bodyTime, readerTime time.Duration
	closing              context.Context
	end                  context.CancelFunc
}

// New starts a server's worker. Close ends it.
func New(o Options) (*Server, error) {
	s := &Server{
		outputs: outputs{o.OutputDir}, version: o.Version, token: o.Token, hosts: o.Hosts, boot: NewToken(),
		device: torch.CPU, bodyTime: bodyTime, readerTime: readerTime,
	}
	for i := range s.places {
		s.places[i] = make(chan struct{}, mostAnswers)
	}
	s.catalog.outputs = s.outputs
	s.models = &opening{server: s}
	s.closing, s.end = context.WithCancel(context.Background())
	var err error
	s.worker, err = NewWorker(func() (err error) {
		if o.Device != nil {
			s.device, err = o.Device()
		}
		return err
	})
	return s, err
}

// Close ends what is under way. It may be called more than once.
func (s *Server) Close() {
	s.end()
	s.worker.Close()
}

// Handler answers the page's requests.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	files, _ := fs.Sub(static, "static") // embedded: it is there
	mux.Handle("GET /", noCache(http.FileServerFS(files)))
	mux.HandleFunc("GET /api/state", s.state)
	mux.HandleFunc("GET /api/events", s.events)
	for path, f := range map[string]http.HandlerFunc{
		"target":   answering(s, "target", s.target),
		"paths":    answering(s, "paths", s.paths),
		"trace":    streaming(s, "trace", Stream, s.trace),
		"field":    streaming(s, "field", Stream, s.field),
		"quality":  streaming(s, "quality", Measure, s.quality),
		"pictures": streaming(s, "pictures", Stream, s.pictures),
		"train":    streaming(s, "train", Training, s.train),
		"watch":    s.watch,
		"kept":     s.keptTraining,
	} {
		mux.HandleFunc("POST /api/"+path, f)
	}
	mux.HandleFunc("GET /api/result/{name}", s.result)
	mux.HandleFunc("GET /api/file/{path...}", s.file)
	return s.guard(s.arrived(s.bounded(mux)))
}

// noCache has the browser ask each time: another version may have been built.
func noCache(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		next.ServeHTTP(w, r)
	})
}

// pageState is what there is to show.
type pageState struct {
	Version string   `json:"version"`
	Boot    string   `json:"boot"`
	Output  string   `json:"output"`
	Train   string   `json:"train"` // the command for a first run
	Models  []Model  `json:"models"`
	Runs    []Run    `json:"runs"`
	Methods []method `json:"methods"`
	Problem string   `json:"problem,omitempty"`
}

type method struct {
	Name     string `json:"name"`
	Adaptive bool   `json:"adaptive,omitempty"`
	Stages   int    `json:"stages,omitempty"` // evaluations a step
}

func methods() []method {
	var all []method
	for _, name := range flow.Methods() {
		m := method{Name: name, Adaptive: flow.IsAdaptive(name)}
		if t, ok := flow.FixedStepMethod(name); ok {
			m.Stages = t.Stages()
		}
		all = append(all, m)
	}
	return all
}

func (s *Server) state(w http.ResponseWriter, _ *http.Request) {
	st := pageState{Version: s.version, Boot: s.boot, Output: trainer.Printable(s.outputs.dir), Methods: methods()}
	folders, err := s.outputs.folders()
	if err != nil {
		st.Problem = plain(err)
	}
	st.Train = s.firstTraining()
	st.Models = s.all(folders)
	for i := range st.Models {
		st.Models[i].show()
	}
	st.Runs = s.runs(folders)
	for i := range st.Runs {
		st.Runs[i].Set = shownName(st.Runs[i].Set)
	}
	answer(w, st)
}

// all are the models that there are: of the output folder, or else those of the program,
// and the page's own.
func (s *Server) all(folders []folder) []Model {
	return append(withIncluded(s.catalog.models(folders)), s.others()...)
}

// others are the models of drawings.
func (s *Server) others() []Model {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Model(nil), s.drawn...)
}

// find looks a model up.
func (s *Server) find(id string) (Model, error) {
	folders, err := s.outputs.folders()
	if err != nil {
		return Model{}, err
	}
	for _, m := range s.all(folders) {
		switch {
		case m.ID == id && m.Problem != "":
			return m, refusef("%s: %s", trainer.Printable(id), m.Problem)
		case m.ID == id:
			return m, nil
		}
	}
	return Model{}, &refusal{http.StatusNotFound, "there is no model " + trainer.Printable(id)}
}

// events tell the page that the server is there, and that the output folder has changed.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	out := newEventWriter(w)
	send := func(event string, v any) bool { return out.write(encodeEvent(event, v)) == nil }
	me := s.news.join()
	defer s.news.leave(me)
	if !send("hello", map[string]string{"boot": s.boot}) {
		return
	}
	last := s.signature()
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-me.crowded:
			send("crowded", struct{}{})
			return
		case <-tick.C:
		}
		now := s.signature()
		event := "beat"
		if now != last {
			last, event = now, "changed"
			s.news.heard(me)
		}
		if !send(event, struct{}{}) {
			return
		}
	}
}

// signature changes when the list of runs or of models does.
func (s *Server) signature() string {
	folders, _ := s.outputs.folders()
	var b strings.Builder
	for _, d := range folders {
		fmt.Fprintf(&b, "%s %d %d", d.id, len(d.files), len(d.progress))
		if in, ok := d.files[trainer.CheckpointFile]; ok {
			fmt.Fprint(&b, stampOf(in))
		}
		_, training := d.files[trainer.MetricsFile]
		fmt.Fprintln(&b, training, s.pulses.live(d))
	}
	for _, m := range s.others() {
		fmt.Fprintln(&b, m.ID)
	}
	return b.String()
}

// plain is an error for people: one line, as the commands would say it.
func plain(err error) string {
	return plainLine(cli.Text(err))
}

const longestLine = 500

func plainLine(s string) string {
	s = trainer.Printable(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; "))
	if len(s) > longestLine {
		s = strings.ToValidUTF8(s[:longestLine], "") + " ..."
	}
	return s
}

func itoa[N int | int64](n N) string { return strconv.FormatInt(int64(n), 10) }
