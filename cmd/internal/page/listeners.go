package page

import (
	"net/http"
	"slices"
	"sync"
)

// Streams of news last as long as somebody looks at the page: what changes in the output
// folder, and the losses of a run as they come. They take no place of requests, and have a
// bound of their own. Where one too many comes, the one that has had no news for the longest
// is told so and ended; its page asks again later.

// mostListeners is how many streams of news are open at once.
const mostListeners = 64

// listens tells whether a request is for news.
func listens(r *http.Request) bool {
	return r.URL.Path == "/api/events" && r.Method == http.MethodGet || r.URL.Path == "/api/watch" && r.Method == http.MethodPost
}

// listeners are the streams of news that are open.
type listeners struct {
	mu   sync.Mutex
	open []*listener // the one that had news last is the last
}

type listener struct {
	crowded chan struct{} // closed where its place was taken
}

// join gives a stream a place, if need be that of another.
func (l *listeners) join() *listener {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) == mostListeners {
		close(l.open[0].crowded)
		l.open = slices.Delete(l.open, 0, 1)
	}
	me := &listener{make(chan struct{})}
	l.open = append(l.open, me)
	return me
}

// heard notes that a stream has had news.
func (l *listeners) heard(me *listener) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.open, me); i >= 0 {
		l.open = append(slices.Delete(l.open, i, i+1), me)
	}
}

func (l *listeners) leave(me *listener) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = slices.DeleteFunc(l.open, func(o *listener) bool { return o == me })
}
