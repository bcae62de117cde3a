package ui

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"flowmatch/cmd/internal/cli"
)

// lines are what --json prints: the page's address at the start, each training that is
// begun on it, and a summary at the end.
type lines struct {
	mu        sync.Mutex
	w         io.Writer
	began     time.Time
	requests  int
	trainings int
}

// opened is the first line.
type opened struct {
	Type      string `json:"type"` // page
	Address   string `json:"address"`
	Host      string `json:"host"`
	Port      int    `json:"port"`
	Token     string `json:"token,omitempty"`
	OutputDir string `json:"output_dir"`
}

// begun is a line for each training.
type begun struct {
	Type   string `json:"type"` // training
	Number int    `json:"number"`
}

// summary is the last line.
type summary struct {
	Type      string  `json:"type"` // summary
	Seconds   float64 `json:"seconds"`
	Requests  int     `json:"requests"`
	Trainings int     `json:"trainings"`
}

// trainPath is asked for a training.
const trainPath = "/api/train"

// counting counts the requests that a handler answers. A failed write of a line is
// remembered by who made the writer.
func (l *lines) counting(of http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.requests++
		l.mu.Unlock()
		if r.Method != http.MethodPost || r.URL.Path != trainPath {
			of.ServeHTTP(w, r)
			return
		}
		of.ServeHTTP(&answer{ResponseWriter: w, accepted: sync.OnceFunc(l.training)}, r)
	})
}

func (l *lines) training() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trainings++
	_ = cli.WriteJSON(l.w, begun{"training", l.trainings})
}

func (l *lines) end() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return cli.WriteJSON(l.w, summary{"summary", time.Since(l.began).Seconds(), l.requests, l.trainings})
}

// answer tells when a request is accepted: its answer is a stream, no refusal.
type answer struct {
	http.ResponseWriter
	accepted func()
}

func (a *answer) Write(p []byte) (int, error) {
	if strings.HasPrefix(a.Header().Get("Content-Type"), "text/event-stream") {
		a.accepted()
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
