package gotorch

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

// TestingT is what CheckLeaks needs of *testing.T.
type TestingT interface {
	Helper()
	Errorf(format string, args ...any)
	Cleanup(func())
}

// births says where tensors were made, while somebody asks.
var births struct {
	asked atomic.Int32
	mu    sync.Mutex
	of    map[uintptr][]birth // by handle; libtorch may hand out a tensor twice
	next  int64
}

type birth struct {
	order int64
	pcs   [24]uintptr
}

// CheckLeaks makes t fail, at its end, for every tensor that has been made
// since and is neither closed nor out of everybody's reach by then, and names
// the lines that made them. It sees the tensors of all goroutines.
func CheckLeaks(t TestingT) {
	t.Helper()
	attend()
	births.mu.Lock()
	if births.of == nil {
		births.of = map[uintptr][]birth{}
	}
	since := births.next
	births.mu.Unlock()
	births.asked.Add(1)
	t.Cleanup(func() {
		t.Helper()
		left := leftSince(since)
		for try := 0; try < 20 && len(left) > 0; try++ { // clean-ups take their time
			collect()
			drain()
			left = leftSince(since)
		}
		if births.asked.Add(-1) == 0 {
			births.mu.Lock()
			clear(births.of)
			births.mu.Unlock()
		}
		for _, l := range places(left) {
			t.Errorf("gotorch: %s", l)
		}
	})
}

func born(h unsafe.Pointer) {
	var b birth
	runtime.Callers(3, b.pcs[:])
	births.mu.Lock()
	b.order = births.next
	births.next++
	births.of[uintptr(h)] = append(births.of[uintptr(h)], b)
	births.mu.Unlock()
}

func died(hs []uintptr) {
	births.mu.Lock()
	for _, h := range hs {
		if b := births.of[h]; len(b) > 1 {
			births.of[h] = b[:len(b)-1]
		} else {
			delete(births.of, h)
		}
	}
	births.mu.Unlock()
}

func leftSince(order int64) (left []birth) {
	births.mu.Lock()
	for _, all := range births.of {
		for _, b := range all {
			if b.order >= order {
				left = append(left, b)
			}
		}
	}
	births.mu.Unlock()
	slices.SortFunc(left, func(a, b birth) int { return int(a.order - b.order) })
	return left
}

// places counts births by the line outside the binding that caused them.
func places(all []birth) []string {
	count := map[string]int{}
	var order []string
	for _, b := range all {
		p := b.place()
		if count[p] == 0 {
			order = append(order, p)
		}
		count[p]++
	}
	for i, p := range order {
		order[i] = fmt.Sprintf("%d tensors left, made at %s", count[p], p)
		if count[p] == 1 {
			order[i] = "a tensor left, made at " + p
		}
	}
	return order
}

func (b birth) place() string {
	frames := runtime.CallersFrames(b.pcs[:])
	at := "an unknown place"
	for {
		f, more := frames.Next()
		if f.File != "" {
			at = fmt.Sprintf("%s:%d (%s)", filepath.Base(f.File), f.Line, f.Function[strings.LastIndex(f.Function, "/")+1:])
		}
		ours := strings.HasPrefix(f.Function, "github.com/wangkuiyi/gotorch") && !strings.HasSuffix(f.File, "_test.go")
		if !ours || !more {
			return at
		}
	}
}
