package trainer

import torch "github.com/wangkuiyi/gotorch"

// deviceSchedule has on the device what changes from one step to the next: the
// learning rate, the weight of the step in the average, and the place in the ring.
// The host tells a step nothing then, and a step is the same work every time, which
// a graph can hold.
type deviceSchedule struct {
	next    torch.Tensor // [1] int64: steps since fill
	rates   torch.Tensor // [slots] float32, of the steps after fill
	weights torch.Tensor // [slots] float32: 1 - the average's decay
	// following is 1, 2, ... of 0, 1, ...: [slots] int64. Sums with numbers of Go's are float32.
	following torch.Tensor
}

func newDeviceSchedule(slots int, d torch.Device) *deviceSchedule {
	o := torch.Options{Device: d}
	n := int64(slots)
	return &deviceSchedule{
		next:      torch.Zeros([]int64{1}, torch.Options{Device: d, Dtype: torch.Long}),
		rates:     torch.Zeros([]int64{n}, o),
		weights:   torch.Zeros([]int64{n}, o),
		following: torch.ArangeWith(1, float64(n)+1, 1, torch.Options{Device: d, Dtype: torch.Long}),
	}
}

// fill begins anew with step k.
func (s *deviceSchedule) fill(c Config, k int) {
	n := int(s.rates.Numel())
	rates, weights := make([]float32, n), make([]float32, n)
	for i := range n {
		rates[i] = float32(c.Rate(k + i))
		weights[i] = float32(1 - c.Decay(k+i))
	}
	torch.Scoped(func() {
		torch.NoGrad(func() {
			s.rates.CopyI(torch.FromSlice(rates, int64(n)))
			s.weights.CopyI(torch.FromSlice(weights, int64(n)))
			s.next.FillI(0)
		})
	})
}

// told is what the next step is told where the device does it by kernels of its own, which note it
// and go on to the one after.
func (s *deviceSchedule) told(loss torch.Tensor, maxNorm float64, ring torch.Tensor) torch.DeviceStep {
	return torch.DeviceStep{Loss: loss, MaxNorm: maxNorm, Rates: s.rates, Weights: s.weights, Next: s.next, Notes: ring}
}

// now is the learning rate and the weight of the step that comes next: [].
func (s *deviceSchedule) now() (rate, weight torch.Tensor) {
	return torch.Gather(s.rates, 0, s.next).View(), torch.Gather(s.weights, 0, s.next).View()
}

// note puts a step's loss and gradient norm, [], into ring: [2,slots], and goes on to
// the next step.
func (s *deviceSchedule) note(ring, loss, norm torch.Tensor) {
	ring.IndexCopyI(1, s.next, torch.Stack([]torch.Tensor{loss, norm}, 0).View(2, 1))
	s.next.CopyI(torch.Gather(s.following, 0, s.next))
}

func (s *deviceSchedule) close() {
	for _, t := range []torch.Tensor{s.next, s.rates, s.weights, s.following} {
		t.Close()
	}
}
