package page

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"
)

// Floats are numbers for the page: their bytes, little-endian, in base64.
type Floats []float32

// MarshalJSON writes a string.
func (f Floats) MarshalJSON() ([]byte, error) {
	b := make([]byte, 4*len(f))
	for i, v := range f {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(v))
	}
	return json.Marshal(base64.StdEncoding.EncodeToString(b))
}

// mostUnread bounds what a stream keeps for a reader who does not read.
const mostUnread = 32 << 20

// writeTime is how long a reader may take for one write.
const writeTime = 10 * time.Second

var errSlow = errors.New("the page does not read what it asked for")

// stream carries the events of a job from the worker to the request's goroutine, in
// order. Sending never waits.
type stream struct {
	mu     sync.Mutex
	unread [][]byte
	size   int
	ended  bool
	wake   chan struct{} // of one place
	cancel context.CancelCauseFunc
}

func newStream(cancel context.CancelCauseFunc) *stream {
	return &stream{wake: make(chan struct{}, 1), cancel: cancel}
}

// send queues an event. Of a reader who is too far behind it ends the job.
func (s *stream) send(event string, v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.size > mostUnread {
		s.cancel(errSlow)
		return
	}
	b := encodeEvent(event, v)
	s.unread = append(s.unread, b)
	s.size += len(b)
	s.signal()
}

// behind tells whether the reader has not yet got what was sent: a film of the present
// then leaves pictures out.
func (s *stream) behind() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.unread) > 8
}

func (s *stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.signal()
}

func (s *stream) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *stream) take() (b [][]byte, ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, s.unread, s.size = s.unread, nil, 0
	return b, s.ended
}

func encodeEvent(event string, v any) []byte {
	data, err := json.Marshal(v)
	if err != nil { // a number that is none; only our own types come here
		event, data = "failure", []byte(`{"error":"a result is not a number"}`)
	}
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", event, data)
}

// eventWriter writes events to a response, each soon and none later than writeTime.
type eventWriter struct {
	w http.ResponseWriter
	c *http.ResponseController
}

func newEventWriter(w http.ResponseWriter) eventWriter {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	return eventWriter{w, http.NewResponseController(w)}
}

func (e eventWriter) write(b []byte) error {
	if err := e.c.SetWriteDeadline(time.Now().Add(writeTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := e.w.Write(b); err != nil {
		return err
	}
	return e.c.Flush()
}

// stream answers a request with the events of a job on the worker. Of trainings one goes on
// and none waits: another page's is told that it is busy, and asks again. Browsers open six
// connections to a server for all of their tabs, and those that wait for minutes would keep
// every other page from it.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, lane string, u Urgency, run func(context.Context, *stream) error) {
	lane = pageOf(r) + "/" + lane
	if u == Training && s.worker.Occupied(lane, u) {
		_ = newEventWriter(w).write(encodeEvent("busy", struct{}{})) // whoever has gone needs none
		return
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	events := newStream(cancel)
	go func() {
		defer events.end()
		err := s.worker.Do(ctx, lane, u, func(ctx context.Context) error { return run(ctx, events) })
		switch {
		case errors.Is(err, ErrSuperseded):
			events.send("superseded", struct{}{})
		case err != nil && ctx.Err() == nil:
			events.send("failure", failure{plain(err)})
		}
	}()
	out := newEventWriter(w)
	err := out.c.Flush()
	for {
		b, ended := events.take()
		if err == nil && len(b) > 0 {
			if err = out.write(bytes.Join(b, nil)); err != nil {
				cancel(err)
			}
		}
		if ended && len(b) == 0 {
			return
		}
		if len(b) == 0 {
			<-events.wake
		}
	}
}
