package gotorch

import "testing"

// A capture that fails half way, for its work waits for the device, leaves
// nothing behind: eager work, random numbers and the next capture are as ever.
func TestGPUCaptureThatFails(t *testing.T) {
	d := gpu(t)
	x := Ones([]int64{8}, false).To(d)
	g := NewGenerator(d, 1)
	noise := Zeros([]int64{8}, Options{Device: d})
	WithStream(NewCUDAStream(d), func() {
		AddScalar(x, 1) // the library is loaded before the capture
		Synchronize(d)
		mustPanic(t, func() {
			Capture([]*Generator{g}, func() {
				noise.NormalI(0, 1, g)
				Dropout(x, 0.5, true) // libtorch's own generator
				SumAll(x).ItemFloat()
			})
		})
		if got := SumAll(AddScalar(x, 1)).ItemFloat(); got != 16 {
			t.Errorf("an eager sum afterwards is %v, want 16", got)
		}
		noise.NormalI(0, 1, g)
		if got := SumAll(Abs(noise)).ItemFloat(); !(got > 0 && got < 40) {
			t.Errorf("eight random numbers afterwards sum up to %v", got)
		}
		if got := SumAll(Dropout(x, 0.5, true)).ItemFloat(); !(got >= 0 && got <= 16) {
			t.Errorf("dropout afterwards sums up to %v", got)
		}
		graphOf(t, d)
	})
}
