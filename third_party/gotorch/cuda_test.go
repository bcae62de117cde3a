package gotorch

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unsafe"
)

// recordedCalls is graphCalls that notes what it is asked.
type recordedCalls struct {
	log    *[]string
	refuse string
}

func (r recordedCalls) note(s string) {
	*r.log = append(*r.log, s)
	if s == r.refuse {
		failf("Capture", "%s refused", s)
	}
}

func (r recordedCalls) available(op string)             { r.note("available " + op) }
func (r recordedCalls) make() unsafe.Pointer            { r.note("make"); return nil }
func (r recordedCalls) register(_, _ unsafe.Pointer)    { r.note("register") }
func (r recordedCalls) begin(unsafe.Pointer)            { r.note("begin") }
func (r recordedCalls) end(unsafe.Pointer)              { r.note("end") }
func (r recordedCalls) abandon(unsafe.Pointer)          { r.note("abandon") }
func (r recordedCalls) replay(unsafe.Pointer)           { r.note("replay") }
func (r recordedCalls) nodes(unsafe.Pointer) (int, int) { return 2, 1 }
func (r recordedCalls) free(unsafe.Pointer) func()      { return func() { r.note("free") } }

// A graph computes in the memory of tensors that only its function knows.
func TestGraphKeepsWhatItUses(t *testing.T) {
	var log []string
	before := settled()
	g := func() *CUDAGraph {
		x := Ones([]int64{1}, false)
		return capture(recordedCalls{&log, ""}, nil, func() { x.FillI(2) })
	}()
	if n := settled() - before; n != 1 {
		t.Errorf("of 1 tensor that a graph uses, %d are left", n)
	}
	g.Close()
	if n := settled() - before; n != 0 {
		t.Errorf("after the graph's end, %d tensors are left", n)
	}
}

// A capture is left whatever happens in it, and only a good one is a graph.
func TestCapture(t *testing.T) {
	gens := []*Generator{NewGenerator(CPU, 1), nil, NewGenerator(CPU, 2)} // nil: libtorch's own, which it knows
	for _, c := range []struct {
		name, refuse string
		f            func()
		want         string
		panics       string
	}{
		{"good", "", func() {}, "available Capture, make, register, register, begin, f, end, replay, replay, free", ""},
		{"f panics", "", func() { panic("mine") }, "available Capture, make, register, register, begin, f, abandon", "mine"},
		{"begin fails", "begin", nil, "available Capture, make, register, register, begin", "begin refused"},
		{"end fails", "end", func() {}, "available Capture, make, register, register, begin, f, end", "end refused"},
		{"no GPU", "available Capture", nil, "available Capture", "available Capture refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log []string
			calls := recordedCalls{&log, c.refuse}
			func() {
				defer func() {
					if p := recover(); (p == nil) != (c.panics == "") || p != nil && fmt.Sprint(p) != c.panics {
						t.Errorf("panic %v, want %q", p, c.panics)
					}
				}()
				g := capture(calls, gens, func() { calls.note("f"); c.f() })
				g.Replay()
				g.Replay()
				g.Close()
				g.Close()
				if _, ok := mustPanic(t, g.Replay).(*ReleasedError); !ok {
					t.Error("a closed graph can be replayed")
				}
			}()
			if want := strings.Split(c.want, ", "); !reflect.DeepEqual(log, want) {
				t.Errorf("calls %v, want %v", log, want)
			}
		})
	}
}

// Without CUDA every one of these says why there is none, and none crashes.
func TestWithoutCUDA(t *testing.T) {
	if IsCUDAAvailable() {
		t.Skip("there is a GPU")
	}
	gpu := NewDevice("cuda:1")
	if gpu.String() != "cuda:1" || !gpu.IsCUDA() || gpu.Index() != 1 || CPU.String() != "cpu" {
		t.Errorf("%v, %v", gpu, CPU)
	}
	for name, f := range map[string]func(){
		"Capture":                func() { Capture(nil, func() {}) },
		"NewCUDAStream":          func() { NewCUDAStream(gpu) },
		"GetCurrentCUDAStream":   func() { GetCurrentCUDAStream(gpu) },
		"SetCurrentCUDAStream":   func() { SetCurrentCUDAStream(CUDAStream{}) },
		"CUDAStream.Synchronize": func() { CUDAStream{}.Synchronize() },
		"CUDAStream.Query":       func() { CUDAStream{}.Query() },
		"NewCUDAEvent":           func() { NewCUDAEvent(true) },
		"CUDADeviceInfo":         func() { CUDADeviceInfo(gpu) },
		"CUDAMemory":             func() { CUDAMemory(gpu) },
		"Synchronize":            func() { Synchronize(gpu) },
		"CUDAEmptyCache":         CUDAEmptyCache,
		"CUDAResetPeak":          func() { CUDAResetPeak(gpu) },
		"AllowTF32":              func() { AllowTF32(true) },
		"CUDA":                   func() { Ones([]int64{1}, false).CUDA(gpu, true) },
		"WithStream":             func() { WithStream(CUDAStream{}, func() {}) },
		"Zeros":                  func() { Zeros([]int64{1}, Options{Device: gpu}) },
		"To":                     func() { Ones([]int64{1}, false).To(gpu) },
		"NewGenerator":           func() { NewGenerator(gpu, 1) },
	} {
		err := Try(f)
		if e, ok := err.(*Error); !ok || e.Op != name || !strings.Contains(e.Msg, "CUDA is off: it was switched off") {
			t.Errorf("%s: %v", name, err)
		}
	}
	Synchronize(CPU)
	for _, bad := range []string{"", "gpu", "cuda:", "cuda:-1", "cuda:128", "cuda:x", "cpu:1"} {
		if d, err := ParseDevice(bad); err == nil {
			t.Errorf("%q is %v", bad, d)
		}
	}
}

func TestUnfit(t *testing.T) {
	for _, c := range []struct {
		major, minor int
		fits         bool
	}{{6, 1, false}, {7, 0, false}, {7, 5, true}, {8, 0, true}, {8, 9, true}, {9, 0, true}, {12, 0, true}} {
		why := unfit(CUDAInfo{Name: "NVIDIA X", Major: c.major, Minor: c.minor})
		if (why == "") != c.fits || why != "" && !strings.Contains(why, "NVIDIA X is of compute capability "+strconv.Itoa(c.major)+"."+strconv.Itoa(c.minor)) {
			t.Errorf("%d.%d: %q", c.major, c.minor, why)
		}
	}
}

// libtorch's messages, in a line that says what to do.
func TestExplainCUDA(t *testing.T) {
	for msg, want := range map[string]string{
		"Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU":  "no NVIDIA driver was found",
		"The NVIDIA driver on your system is too old (found version 12080). Please update": "the NVIDIA driver is too old: it can do CUDA 12.8; libtorch is built for CUDA 13.0, which needs driver 580 or newer",
		"CUDA driver version is insufficient for CUDA runtime version":                     "the NVIDIA driver is too old; libtorch is built for CUDA 13.0, which needs driver 580 or newer",
		"CUDA unknown error - this may be due to an incorrectly set up environment\nmore":  "CUDA unknown error - this may be due to an incorrectly set up environment",
	} {
		if got := explainCUDA(msg); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// c10Streams keeps devices and streams as c10 does. A stream is the address of
// the number of its device.
type c10Streams struct {
	log  []string
	at   int
	now  map[int]CUDAStream
	name map[CUDAStream]string
}

func (c *c10Streams) stream(name string, device int) CUDAStream {
	s := streamOf(unsafe.Pointer(&device))
	c.name[s] = name
	return s
}

func on(s CUDAStream) int                              { return *(*int)(unsafe.Pointer(s.P)) }
func (c *c10Streams) device() int                      { return c.at }
func (c *c10Streams) setDevice(d int)                  { c.at = d }
func (c *c10Streams) current(of CUDAStream) CUDAStream { return c.now[on(of)] }
func (c *c10Streams) set(s CUDAStream)                 { c.at = on(s); c.now[on(s)] = s }
func (c *c10Streams) after(s, other CUDAStream) {
	c.log = append(c.log, c.name[s]+" after "+c.name[other])
}

// Work is sent to a stream of another device than the current one, and
// everything is as it was afterwards, also after a panic.
func TestWithStreamOfAnotherDevice(t *testing.T) {
	c := &c10Streams{now: map[int]CUDAStream{}, name: map[CUDAStream]string{}}
	first, second := c.stream("first of 0", 0), c.stream("first of 1", 1)
	c.now[0], c.now[1] = first, second
	s := c.stream("s", 1)
	mustPanic(t, func() {
		withStream(c, s, func() {
			if c.at != 1 || c.now[1] != s || c.now[0] != first {
				t.Errorf("within: device %d, its stream %q", c.at, c.name[c.now[1]])
			}
			panic("out")
		})
	})
	if c.at != 0 || c.now[0] != first || c.now[1] != second {
		t.Errorf("afterwards: device %d, streams %q and %q", c.at, c.name[c.now[0]], c.name[c.now[1]])
	}
	if want := []string{"s after first of 1", "first of 1 after s"}; !reflect.DeepEqual(c.log, want) {
		t.Errorf("%q, want %q", c.log, want)
	}
}

// While a graph is captured an operation is not tried again, for the first try is
// part of it, and no memory is freed, which would end the capture.
func TestNoRetryWhileCapturing(t *testing.T) {
	emptied := 0
	was := emptyCUDACache
	emptyCUDACache = func() { emptied++ }
	defer func() { emptyCUDACache = was }()
	once := func() error {
		FailAllocations(1, 1)
		defer FailAllocations(0, 0)
		return Try(func() { Ones([]int64{1 << 16}, false) })
	}
	if err := once(); err != nil || emptied != 1 {
		t.Errorf("outside: %v, emptied %d times", err, emptied)
	}
	var log []string
	var err error
	capture(recordedCalls{&log, ""}, nil, func() { err = once() }).Close()
	if e, ok := err.(*Error); !ok || !e.OutOfMemory || emptied != 1 {
		t.Errorf("within: %v, emptied %d times", err, emptied)
	}
	mustPanic(t, func() { capture(recordedCalls{&log, ""}, nil, func() { panic("mine") }) })
	if err := once(); err != nil || emptied != 2 {
		t.Errorf("afterwards: %v, emptied %d times", err, emptied)
	}
}
