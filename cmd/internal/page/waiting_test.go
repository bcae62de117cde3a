package page

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// Until the first answer the page says that it is loading; where that fails, what is wrong,
// with a button that asks again. A tab that is not looked at does not listen.
func TestWaiting(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	path := findChromium(t)
	s := newServer(t, Options{})
	h := s.Handler()
	var failing atomic.Bool
	failing.Store(true)
	answers := make(chan struct{}) // closed when the server may answer
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/events":
			select {
			case <-answers:
			case <-r.Context().Done():
				return
			}
		case "/api/state":
			if failing.Load() {
				fail(w, &refusal{http.StatusServiceUnavailable, "too many pages ask at once"})
				return
			}
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(web.CloseClientConnections)
	listening := func() bool {
		s.news.mu.Lock()
		defer s.news.mu.Unlock()
		return len(s.news.open) > 0
	}
	p := startChromium(t, path, func(message) {}).open()
	p.size(1280, 900, "light")
	p.do("Page.navigate", params{"url": web.URL + "/"})
	p.until("it says that it loads", "document.querySelector('#main')?.innerText === 'loading…' && getComputedStyle(document.querySelector('.late')).visibility === 'hidden'")
	close(answers)
	p.until("it says what is wrong", "document.querySelector('#main [role=alert]')?.innerText.includes('too many pages ask at once')")
	failing.Store(false)
	p.eval("document.querySelector('#main button').click()")
	p.until("it is there", "document.querySelector('.view')?.dataset.traced >= 1")

	// What fails later stands beside the view, which stays.
	failing.Store(true)
	hidden := func(yes string) {
		p.eval("Object.defineProperty(document, 'hidden', { value: " + yes + ", configurable: true }); document.dispatchEvent(new Event('visibilitychange'))")
	}
	hidden("true")
	for end := time.Now().Add(answerTime); listening(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a hidden tab listens")
		}
	}
	hidden("false")
	p.until("it listens again, and says what is wrong", "document.querySelector('#status.bad button') !== null && document.querySelector('.view') !== null")
	failing.Store(false)
	p.eval("document.querySelector('#status button').click()")
	p.until("all is well", "!document.querySelector('#status').classList.contains('bad') && document.querySelector('#status').innerText === ''")
}
