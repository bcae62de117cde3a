package gotorch

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"unsafe"
)

func cellOf(x Tensor) unsafe.Pointer { return unsafe.Pointer(x.T) }

// wantCollected waits until no more tensors live than before.
func wantCollected(t *testing.T, before int64) {
	t.Helper()
	n := int64(0)
	for range 50 {
		collect()
		if n = live() - before; n <= 0 { // live drains the queue
			return
		}
	}
	t.Errorf("%d tensors were not collected", n)
}

func TestNetFreesWhatNobodyHolds(t *testing.T) {
	before := settled()
	func() {
		x := Ones([]int64{3}, true)
		for range 1000 {
			x = AddScalar(x, 1)
		}
		if x.String() == "" {
			t.Error("no text")
		}
	}()
	wantCollected(t, before)
}

func TestCleanUpOnlyQueues(t *testing.T) {
	collect()
	drain()
	before := settled()
	freed := before + 100
	func() {
		for range 100 {
			Ones([]int64{1}, false)
		}
	}()
	for range 20 {
		collect() // calls nothing of libtorch
	}
	unheld.Lock()
	queued := len(unheld.tensors)
	unheld.Unlock()
	if queued < 90 { // the last ones may still be on the stack
		t.Errorf("%d handles are in the queue, want 100", queued)
	}
	if n := live(); n >= freed {
		t.Error("the next call did not empty the queue")
	}
	if len(unheld.tensors) > 0 && ready.Load() {
		t.Error("a queue that nobody will empty")
	}
}

func TestClose(t *testing.T) {
	before := settled()
	x := Ones([]int64{2}, false)
	y := x // copies share the cell
	x.Close()
	x.Close()
	y.Close()
	Tensor{}.Close()
	if n := live() - before; n != 0 {
		t.Errorf("%d tensors are left", n)
	}
	released(t, "a closed tensor", y)
	for name, f := range map[string]func(){
		"an operation":    func() { Add(Ones([]int64{2}, false), y, 1) },
		"a list":          func() { Cat([]Tensor{y}, 0) },
		"Backward":        func() { y.Backward() },
		"an optional one": func() { RawLinear(Ones([]int64{1, 2}, false), Ones([]int64{1, 2}, false), y) },
		"AdamW":           func() { LerpAll([]Tensor{y}, []Tensor{y}, 1) },
	} {
		if _, ok := mustPanic(t, f).(*ReleasedError); !ok {
			t.Errorf("%s takes a closed tensor", name)
		}
	}
	if _, ok := mustPanic(t, func() { Tensor{}.Shape() }).(*Error); !ok {
		t.Error("the zero Tensor gives another panic")
	}
	runtime.GC() // x was closed: no double free
	collect()
	if n := live() - before; n > 0 {
		t.Errorf("%d tensors are left", n)
	}
}

// The C++ part is kept for other clones: the place where it was built, which
// its messages would show, is not in it.
func TestNothingRefersToThisMachine(t *testing.T) {
	lib, err := FindLibrary()
	if err != nil {
		t.Fatal(err)
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(lib.Binding) != filepath.Join(wd, "lib") {
		t.Skip("not what scripts/build made: " + lib.Binding)
	}
	b, err := os.ReadFile(lib.Binding)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b, []byte("cgotorch/optim.cc")) { // what TORCH_CHECK says under GOTORCH_TRACE=1
		t.Error("the library has no source's name, so that this test says nothing")
	}
	if bytes.Contains(b, []byte(wd)) {
		t.Errorf("%s contains %s", lib.Binding, wd)
	}
}
