package page

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"
)

// firstOf notes when an event of a name is first written.
type firstOf struct {
	event []byte
	begin time.Time
	after time.Duration
	head  http.Header
}

func (f *firstOf) Header() http.Header { return f.head }
func (f *firstOf) WriteHeader(int)     {}
func (f *firstOf) Flush()              {}
func (f *firstOf) Write(b []byte) (int, error) {
	if f.after == 0 && bytes.Contains(b, f.event) {
		f.after = time.Since(f.begin)
	}
	return len(b), nil
}

// BenchmarkReaction is how long what a person does takes until all of it is there, and
// until the first of it is (first-ms), by the models that are part of the program.
func BenchmarkReaction(b *testing.B) {
	s, err := New(Options{OutputDir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Close)
	h := s.Handler()
	const two = `"models":["pretrained/checkerboard","pretrained/checkerboard-reflow"]`
	const digit = `{"model":"pretrained/digits","class":3,"seed":42,"guidance":1,"method":"midpoint","steps":10`
	for _, c := range []struct{ name, path, body, first string }{
		{"points", "trace", `{` + two + `,"seed":42,"count":1500,"method":"midpoint","steps":10}`, `"frame":10,`},
		{"points-dopri5", "trace", `{` + two + `,"seed":42,"count":1500,"method":"dopri5","rtol":1e-4}`, `"frame":32,`},
		{"path", "paths", `{` + two + `,"points":[{"x":0.5,"y":0.5,"t":0.5}],"method":"midpoint","steps":10}`, "times"},
		{"field", "field", `{` + two + `,"t":1}`, "event: field"},
		{"quality", "quality", `{` + two + `,"seed":42}`, "event: point"},
		{"digit", "pictures", digit + `}`, `"frame":10,`},
		{"digits", "pictures", digit + `,"seeds":[43,44,45,46,47,48,49,50,51],"classes":[0,1,2,4,5,6,7,8,9]}`, `"frame":10,`},
	} {
		b.Run(c.name, func(b *testing.B) {
			var first time.Duration
			for range b.N {
				w := &firstOf{event: []byte(c.first), begin: time.Now(), head: http.Header{}}
				h.ServeHTTP(w, request("POST", "/api/"+c.path, c.body, nil))
				if w.after == 0 {
					b.Fatalf("no %s", strings.TrimPrefix(c.first, "event: "))
				}
				first += w.after
			}
			b.ReportMetric(float64(first.Microseconds())/1000/float64(b.N), "first-ms")
		})
	}
}
