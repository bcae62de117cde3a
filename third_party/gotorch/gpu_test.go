package gotorch

import (
	"fmt"
	"runtime"
	"testing"
)

// Tests for a machine with a GPU: GOTORCH_TEST_CUDA=1 go test -run GPU .
func gpu(t *testing.T) Device {
	t.Helper()
	if !IsCUDAAvailable() {
		_, why := CUDAStatus()
		t.Skip("no GPU: " + why)
	}
	AllowTF32(false)
	return NewDevice("cuda")
}

func TestGPUTensors(t *testing.T) {
	d := gpu(t)
	Scoped(func() {
		x := RandN([]int64{64, 64}, false)
		want := MM(x, x)
		got := MM(x.To(d), x.To(d)).To(CPU)
		if diff := MaxAll(Abs(Sub(got, want, 1))).ItemFloat(); diff > 1e-4 {
			t.Errorf("a product differs by %v from the CPU's", diff)
		}
		pinned := x.PinMemory()
		if !Equal(pinned.CUDA(d, true).To(CPU), x) {
			t.Error("a copy that is not waited for differs")
		}
	})
	if i := CUDADeviceInfo(d); i.Name == "" || i.Total <= i.Free || i.Reserved < i.Allocated {
		t.Errorf("%+v", i)
	}
	CUDAEmptyCache()
	CUDAResetPeak(d)
}

func TestGPUStreamsAndEvents(t *testing.T) {
	d := gpu(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := GetCurrentCUDAStream(d)
	defer SetCurrentCUDAStream(before)
	s := NewCUDAStream(d)
	if s == before || GetCurrentCUDAStream(d) != before {
		t.Error("a new stream is the current one")
	}
	SetCurrentCUDAStream(s)
	if GetCurrentCUDAStream(d) != s {
		t.Error("the current stream is not the one that was set")
	}
	start, end := NewCUDAEvent(true), NewCUDAEvent(true)
	defer start.Close()
	start.Record(s)
	x := Ones([]int64{2048, 2048}, false).To(d)
	y := MM(x, x)
	end.Record(s)
	before.Wait(end)
	end.Synchronize()
	if ms := start.Elapsed(end); ms <= 0 || !s.Query() {
		t.Errorf("%v ms", ms)
	}
	if MaxAll(y).ItemFloat() != 2048 {
		t.Error("the product is wrong")
	}
}

// A graph computes anew from what its inputs hold, with new random numbers.
func TestGPUGraph(t *testing.T) {
	d := gpu(t)
	before := GetCurrentCUDAStream(d)
	s := NewCUDAStream(d)
	mustPanic(t, func() {
		WithStream(s, func() {
			if GetCurrentCUDAStream(d) != s {
				t.Error("the current stream is not the one that was set")
			}
			panic("out")
		})
	})
	if GetCurrentCUDAStream(d) != before {
		t.Error("the stream is not restored")
	}
	WithStream(s, func() { graphOf(t, d) })
}

func graphOf(t *testing.T, d Device) {
	g := NewGenerator(d, 1)
	x, noise, y := Zeros([]int64{8}, Options{Device: d}), Zeros([]int64{8}, Options{Device: d}), Zeros([]int64{8}, Options{Device: d})
	work := func() {
		Scoped(func() {
			noise.NormalI(0, 1, g)
			y.CopyI(Add(MulScalar(x, 2), noise, 1))
		})
	}
	work() // libraries are loaded and memory is found before the capture
	Synchronize(d)
	graph := Capture([]*Generator{g}, work)
	var last Tensor
	for i := range 3 {
		x.FillI(float64(i))
		graph.Replay()
		Synchronize(d)
		if want := Add(MulScalar(x, 2), noise, 1); !AllClose(y, want) {
			t.Errorf("replay %d: %v, want %v", i, y, want)
		}
		if last.T != nil && Equal(last, noise) {
			t.Errorf("replay %d: the same noise again", i)
		}
		last = Clone(noise)
	}
	graph.Close()
}

// What may round products is told in two ways, in any order, and FullPrecision has it off
// and leaves it as it was.
func TestGPUPrecisions(t *testing.T) {
	d := gpu(t)
	defer SetFloat32MatmulPrecision("highest")
	defer AllowTF32(false)
	fine := 1 + 1.0/4096 // of 12 bits; TF32 has 10
	x := FullWith([]int64{512, 512}, fine, Options{Device: d})
	check := func(when, want string) {
		t.Helper()
		if got := Float32MatmulPrecision(); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
		if standIn != "" || CUDADeviceInfo(d).Major < 8 {
			return // computes in float32
		}
		off := MaxAll(Abs(AddScalar(MM(x, x), -512*fine*fine))).ItemFloat()
		if rounds := off > 0.1; rounds != (want != "highest") {
			t.Errorf("%s: products are off by %v", when, off)
		}
	}
	for _, set := range matmulPrecisions {
		for _, allow := range []bool{true, false, true} {
			SetFloat32MatmulPrecision(set)
			AllowTF32(allow)
			want := set
			switch {
			case !allow:
				want = "highest"
			case set == "highest":
				want = "high"
			}
			when := fmt.Sprintf("%s, and TF32 %v", set, allow)
			check(when, want)
			FullPrecision(func() { check(when+", within", "highest") })
			check(when+", after", want)
			AllowTF32(false)
			check(when+", then off", "highest")
		}
	}
}

// The figures of a device are there before anything else was done on it.
func TestGPUFirst(t *testing.T) {
	gpu(t)
	if got := child(t, "device", "", "GOTORCH_TEST_CUDA=1"); got != "ok\nok\n" {
		t.Errorf("%q", got)
	}
}

// Streams are of GPUs.
func TestGPUStreamOfTheCPU(t *testing.T) {
	gpu(t)
	for _, f := range []func(){func() { NewCUDAStream(CPU) }, func() { GetCurrentCUDAStream(CPU) }} {
		if err := Try(f); err == nil {
			t.Error("the CPU has a stream")
		}
	}
}
