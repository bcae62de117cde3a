package page

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// listen opens a stream of news and gives its events' names as they come, until it ends.
func listen(t *testing.T, web *httptest.Server) chan string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", web.URL+"/api/events", nil)
	check(t, err)
	a, err := http.DefaultClient.Do(r)
	check(t, err)
	names := make(chan string, 100)
	go func() {
		defer close(names)
		defer a.Body.Close()
		for s := bufio.NewScanner(a.Body); s.Scan(); {
			if name, ok := strings.CutPrefix(s.Text(), "event: "); ok {
				names <- name
			}
		}
	}()
	if first := <-names; first != "hello" {
		t.Fatalf("the first event is %q", first)
	}
	return names
}

// Open pages take no place of requests. Where there are too many, the one that has had no
// news for the longest is told and ended.
func TestListeners(t *testing.T) {
	s := newServer(t, Options{})
	web := httptest.NewServer(s.Handler())
	t.Cleanup(web.CloseClientConnections)
	var all []chan string
	for range mostListeners {
		all = append(all, listen(t, web))
	}
	if w := ask(s.Handler(), request("GET", "/api/state", "", nil)); w.Code != http.StatusOK {
		t.Errorf("beside %d open pages: %d %s", len(all), w.Code, w.Body)
	}
	// The first has news, so that the second goes.
	s.news.mu.Lock()
	first := s.news.open[0]
	s.news.mu.Unlock()
	s.news.heard(first)
	listen(t, web)
	last := ""
	for name := range all[1] {
		last = name
	}
	if last != "crowded" {
		t.Errorf("the page whose place was taken ends with %q", last)
	}
	select {
	case name, open := <-all[0]:
		if !open || name == "crowded" {
			t.Errorf("the page that had news got %q, open: %v", name, open)
		}
	default:
	}
	s.news.mu.Lock()
	defer s.news.mu.Unlock()
	if n := len(s.news.open); n != mostListeners {
		t.Errorf("%d listen", n)
	}
}
