package faulttest

import (
	"runtime/metrics"
	"strings"
	"testing"
	"time"
)

// Hostile is a file that must be refused, and a part of the reason.
type Hostile struct {
	Name string
	Data []byte
	Why  string
}

// Corpus reads hostile files: each must be refused for its own reason, in one line, for at most 32 MiB of memory and
// twice its size, all that was ever allocated counted. How long the slowest took is reported. There are 80 or more.
func Corpus(t *testing.T, fault string, cases []Hostile, read func([]byte) error) {
	t.Helper()
	names := make(map[string]bool)
	var slowest time.Duration
	var most uint64
	held := 0
	for _, c := range cases {
		if names[c.Name] {
			t.Errorf("%s: twice in the corpus", c.Name)
		}
		names[c.Name] = true
		used, took, err := cost(func() error { return read(c.Data) })
		slowest, most = max(slowest, took), max(most, used)
		switch {
		case err == nil:
			t.Errorf("%s: was read", c.Name)
		case !strings.Contains(err.Error(), c.Why) || strings.ContainsAny(err.Error(), "\n\x00") || len(err.Error()) > 1000:
			t.Errorf("%s: got %q, want ...%s...", c.Name, err, c.Why)
		case used > 32<<20+2*uint64(len(c.Data)) && !raceDetector: // which takes more
			t.Errorf("%s: used %d bytes", c.Name, used)
		default:
			held++
		}
	}
	if len(cases) < 80 {
		t.Errorf("only %d files in the corpus", len(cases))
	}
	Report(t, fault, held)
	t.Logf("%d files refused; slowest %v, most memory %d KiB", held, slowest, most>>10)
}

// cost runs f and gives the bytes that were allocated meanwhile, and the time.
func cost(f func() error) (used uint64, took time.Duration, err error) {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}} // cheaper than runtime.ReadMemStats, which stops the world
	metrics.Read(sample)
	before, start := sample[0].Value.Uint64(), time.Now()
	err = f()
	took = time.Since(start)
	metrics.Read(sample)
	return sample[0].Value.Uint64() - before, took, err
}
