package page

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// mostAnswers is how many answers of each kind may be under way at once.
const mostAnswers = 48

// The kinds of answers: what is computed takes seconds or minutes, and what is quick must
// not wait for it, least of all the page itself.
const (
	computing = iota
	quick
	pageFiles
	kindsOfAnswers
)

// mostBody is the largest request, a drawing.
const mostBody = 256 << 10

// bodyTime is how long a request's body may take: it comes from this machine, or from one
// near by.
const bodyTime = 5 * time.Second

// readerTime is how long whoever asked for a file may take to read it.
const readerTime = time.Minute

// arrived waits for a request's body before anything is done about it: one that does not
// come must not hold a place. A request that needs none is as bounded: net/http reads its
// body before the answer goes out.
func (s *Server) arrived(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		// net/http takes the deadline back when the body has come.
		err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.bodyTime))
		var body []byte
		if err == nil || errors.Is(err, http.ErrNotSupported) {
			body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
		}
		var long *http.MaxBytesError
		switch {
		case errors.As(err, &long):
			fail(w, &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("a request is at most %d bytes", mostBody)})
			return
		case errors.Is(err, os.ErrDeadlineExceeded):
			w.Header().Set("Connection", "close")
			fail(w, &refusal{http.StatusRequestTimeout, "the request did not come to its end"})
			return
		case err != nil:
			w.Header().Set("Connection", "close")
			fail(w, refusef("the request did not come to its end: %v", err))
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// placesFor are those of which a request takes one; nil: it takes none.
func (s *Server) placesFor(r *http.Request) chan struct{} {
	switch {
	case listens(r):
		return nil
	case !strings.HasPrefix(r.URL.Path, "/api/"):
		return s.places[pageFiles]
	case r.Method == http.MethodPost && r.URL.Path != "/api/kept":
		return s.places[computing]
	}
	return s.places[quick]
}

// bounded refuses more than mostAnswers of a kind at once, and ends all when the server
// closes. Streams of news have a bound of their own (listeners.go).
func (s *Server) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if places := s.placesFor(r); places != nil {
			select {
			case places <- struct{}{}:
				defer func() { <-places }()
			default:
				fail(w, &refusal{http.StatusServiceUnavailable, "too many pages ask at once"})
				return
			}
		}
		// Whoever does not read keeps no place either. Streams set their own, for each write.
		if r.Method == http.MethodGet {
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.readerTime)) // a test's writer has none
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(s.closing, cancel)()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
