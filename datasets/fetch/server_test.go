package fetch

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// server serves one file and misbehaves as its fields say.
type server struct {
	data     []byte
	etag     string
	cuts     []int // request k ends after cuts[k] bytes of its body
	noRange  bool  // always the whole file, status 200
	noLength bool  // chunked
	stall    int   // stops for good after so many bytes of a body; -1 before the header; 0 never
	stalls   int   // so many requests do; 0 all
	status   int   // instead of a file
	kind     string
	override func(w http.ResponseWriter, r *http.Request, k int) bool // answers itself

	mu       sync.Mutex
	requests []string // the Range header of each, "" for none
	once     sync.Once
	quit     chan struct{} // closed when the test ends
}

func (s *server) start(t *testing.T, tls bool) *httptest.Server {
	t.Helper()
	s.once.Do(func() {
		s.quit = make(chan struct{})
		t.Cleanup(func() { close(s.quit) })
	})
	srv := httptest.NewUnstartedServer(s)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	if tls {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(func() {
		srv.CloseClientConnections() // they may be waiting
		srv.Close()
	})
	return srv
}

func (s *server) url(t *testing.T) string { return s.start(t, false).URL + "/file.bin" }

// patience is the StallTimeout to meet s with.
func (s *server) patience() time.Duration {
	if s.stall != 0 {
		return shortStall
	}
	return longStall
}

func (s *server) seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.requests...)
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	k := len(s.requests)
	s.requests = append(s.requests, r.Header.Get("Range"))
	s.mu.Unlock()
	if s.override != nil && s.override(w, r, k) {
		return
	}
	if s.status != 0 {
		w.WriteHeader(s.status)
		return
	}
	stalls := s.stall != 0 && (s.stalls == 0 || k < s.stalls)
	if stalls && s.stall < 0 {
		s.wait(r)
		return
	}
	if s.kind != "" {
		w.Header().Set("Content-Type", s.kind)
	} else {
		w.Header().Set("Content-Type", "application/octet-stream")
	}
	if s.etag != "" {
		w.Header().Set("ETag", s.etag)
	}
	body, status := s.data, http.StatusOK
	var from int
	if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); err == nil && !s.noRange {
		if tag := r.Header.Get("If-Range"); tag == "" || tag == s.etag {
			if from >= len(s.data) {
				w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
				return
			}
			body, status = s.data[from:], http.StatusPartialContent
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(s.data)-1, len(s.data)))
		}
	}
	if !s.noLength {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	if s.noLength {
		w.(http.Flusher).Flush()
	}
	switch {
	case stalls:
		w.Write(body[:min(s.stall, len(body))])
		w.(http.Flusher).Flush()
		s.wait(r)
	case k < len(s.cuts) && s.cuts[k] < len(body):
		w.Write(body[:s.cuts[k]])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	default:
		w.Write(body)
	}
}

func (s *server) wait(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.quit:
	}
}

// someBytes are n bytes that repeat nowhere.
func someBytes(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		sum := sha256.Sum256([]byte(strconv.Itoa(i)))
		b.Write(sum[:])
	}
	return b.Bytes()[:n]
}

func wanted(data []byte, urls ...string) Wanted {
	sum := sha256.Sum256(data)
	return Wanted{URLs: urls, Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:])}
}

// notes collects what is said.
type notes struct {
	mu    sync.Mutex
	lines []string
}

func (n *notes) add(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, line)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.lines, "\n")
}

// Servers that stall are given little time, others more than they need on a busy
// machine.
const (
	shortStall = 200 * time.Millisecond
	longStall  = 20 * time.Second
	testPause  = 2 * time.Millisecond
)
