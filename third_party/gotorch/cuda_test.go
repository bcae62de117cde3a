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

func (r recordedCalls) available(op string)          { r.note("available " + op) }
func (r recordedCalls) make() unsafe.Pointer         { r.note("make"); return nil }
func (r recordedCalls) register(_, _ unsafe.Pointer) { r.note("register") }
func (r recordedCalls) begin(unsafe.Pointer)         { r.note("begin") }
func (r recordedCalls) end(unsafe.Pointer)           { r.note("end") }
func (r recordedCalls) abandon(unsafe.Pointer)       { r.note("abandon") }
func (r recordedCalls) replay(unsafe.Pointer)        { r.note("replay") }
func (r recordedCalls) free(unsafe.Pointer) func()   { return func() { r.note("free") } }

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
		{"begin fails", "begin", nil, "available Capture, make, register, register, begin", "Capture: begin refused"},
		{"end fails", "end", func() {}, "available Capture, make, register, register, begin, f, end", "Capture: end refused"},
		{"no GPU", "available Capture", nil, "available Capture", "Capture: available Capture refused"},
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
