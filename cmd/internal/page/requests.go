package page

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// asked is a pointer to a request, which tells what is wrong with it as far as that is seen
// without a model.
type asked[A any] interface {
	*A
	check() error
}

// answering answers requests with what run gives, which the worker does at once: somebody
// has clicked. The newest request of a page and lane takes the place of older ones.
func answering[A any, P asked[A], V any](s *Server, lane string, run func(context.Context, P) (V, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ask, err := read[A, P](r)
		var v V
		if err == nil {
			err = s.worker.Do(r.Context(), pageOf(r)+"/"+lane, Instant, func(ctx context.Context) (err error) {
				v, err = run(ctx, ask)
				return err
			})
		}
		switch {
		case errors.Is(err, ErrSuperseded): // no error that a browser's console should show
			w.WriteHeader(http.StatusNoContent)
		case err != nil:
			fail(w, err)
		default:
			answer(w, v)
		}
	}
}

// streaming answers requests with the events that run sends while the worker does it. The
// newest request of a page and lane takes the place of older ones. The last event is
// done, run's own, or failure, superseded or busy.
func streaming[A any, P asked[A]](s *Server, lane string, u Urgency, run func(context.Context, P, *stream) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ask, err := read[A, P](r)
		if err != nil {
			fail(w, err)
			return
		}
		s.stream(w, r, lane, u, func(ctx context.Context, out *stream) error { return run(ctx, ask, out) })
	}
}

// read reads the JSON of a request that has arrived, strictly, and checks it.
func read[A any, P asked[A]](r *http.Request) (P, error) {
	ask := P(new(A))
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(ask); err != nil {
		return nil, refusef("the request is not understood: %v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, refusef("the request has something after its end")
	}
	return ask, ask.check()
}

// failure is what the page is told of an error.
type failure struct {
	Error string `json:"error"`
}

// refusal is what is wrong with a request.
type refusal struct {
	status int
	msg    string
}

func (e *refusal) Error() string { return e.msg }

func refusef(format string, args ...any) error {
	return &refusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v) // whoever has gone needs no answer
}

// fail answers with an error.
func fail(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		status = refused.status
	case errors.Is(err, errBusy):
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(failure{plain(err)})
}
