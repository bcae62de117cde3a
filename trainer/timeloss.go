package trainer

import (
	"fmt"
	"slices"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/weights"
)

// The loss by time tells where on the way from noise to data the network errs:
// its mean over each tenth of [0,1), over every hundred steps.
const (
	TimeBins   = 10  // of [0,1)
	TimeWindow = 100 // steps

	// mostLoss is a sample's loss that is too high to count: a window's sum of
	// more could leave float32, and no state that is not finite is saved.
	mostLoss = 1e28
)

// timeLoss gathers the loss by time on the device. Windows end there, too, and
// are read when the run looks at the device anyway.
type timeLoss struct {
	sum     torch.Tensor // [2,TimeBins] float32: losses and their number, since the last window's end
	over    torch.Tensor // [most,2,TimeBins]: the sums of windows that are over and not read yet
	windows int          // of them

	zero, one torch.Tensor // []
	history   []float32    // [windows,TimeBins]: of the windows that were read; NaN where no time fell
}

// newTimeLoss gathers up to steps steps between two reads.
func newTimeLoss(d torch.Device, steps int) *timeLoss {
	o := torch.Options{Device: d}
	return &timeLoss{
		sum:  torch.Zeros([]int64{2, TimeBins}, o),
		over: torch.Zeros([]int64{int64(steps/TimeWindow + 1), 2, TimeBins}, o),
		zero: torch.Zeros(nil, o),
		one:  torch.FullWith(nil, 1, o),
	}
}

func (l *timeLoss) Start([]Metric) error { return nil }
func (l *timeLoss) Look(Look) error      { return nil }
func (l *timeLoss) Flush() error         { return nil }

func (l *timeLoss) Close() error {
	for _, t := range []torch.Tensor{l.sum, l.over, l.zero, l.one} {
		t.Close()
	}
	return nil
}

// Batch adds a batch. v, u: [B,...], t: [B] in [0,1).
func (l *timeLoss) Batch(v, u, t torch.Tensor) {
	torch.NoGrad(func() {
		b := t.Shape()[0]
		d := torch.Sub(v.Detach().CastTo(torch.Float), u, 1).View(b, -1)
		each := torch.MeanDims(torch.Mul(d, d), []int64{1}, false)
		bin := torch.Clamp(torch.MulScalar(t, TimeBins), 0, TimeBins-1).CastTo(torch.Long)
		// A loss that is not finite updates nothing, and counts nowhere; NaN is not below anything.
		ok := torch.LtScalar(each, mostLoss)
		both := torch.Where(ok, torch.Stack([]torch.Tensor{each, torch.Expand(l.one, []int64{b})}, 0), l.zero)
		l.sum.ScatterAddI(1, torch.Expand(bin, []int64{2, b}), both)
	})
}

// Step ends a window, on the device.
func (l *timeLoss) Step(done int) {
	if done%TimeWindow != 0 {
		return
	}
	torch.Scoped(func() {
		slot := torch.Select(l.over, 0, int64(l.windows))
		slot.CopyI(l.sum)
		l.sum.FillI(0)
	})
	l.windows++
}

// Read takes the means of the windows that are over from the device.
func (l *timeLoss) Read() {
	if l.windows == 0 {
		return
	}
	all := torch.ToSlice[float32](l.over)
	for w := range l.windows {
		s := all[w*2*TimeBins:][:2*TimeBins]
		for i := range TimeBins {
			l.history = append(l.history, s[i]/s[TimeBins+i])
		}
	}
	l.windows = 0
}

// Annotate adds the loss by time to the last step of a window.
func (l *timeLoss) Annotate(m *Metric) {
	w := m.Step/TimeWindow - 1
	if m.Step%TimeWindow != 0 || m.Step == 0 || (w+1)*TimeBins > len(l.history) {
		return
	}
	m.LossByTime = make([]*float64, TimeBins)
	for i := range m.LossByTime {
		m.LossByTime[i] = number(l.history[w*TimeBins+i])
	}
}

const (
	timeLossName    = "loss_by_time"
	timeLossSumName = "loss_by_time_sum"
)

func (l *timeLoss) Save(d *weights.Dict) error {
	w, err := torch.ToWeights(l.sum)
	if err != nil {
		return err
	}
	d.Set(timeLossSumName, w)
	d.Set(timeLossName, weights.FromFloat32(l.history, int64(len(l.history)/TimeBins), TimeBins))
	return nil
}

func (l *timeLoss) Restore(s *State) error {
	past, err := s.timeLosses()
	if err != nil {
		return err
	}
	l.history = append(l.history, past...)
	return s.load(timeLossSumName, l.sum)
}

// timeLosses are the losses by time of a state, [steps/100,TimeBins]; none where
// all times are the same.
func (s *State) timeLosses() ([]float32, error) {
	w, sum := s.file.Tensors.Get(timeLossName), s.file.Tensors.Get(timeLossSumName)
	if s.Record.Training.Configuration.distills() {
		if w != nil || sum != nil {
			return nil, fmt.Errorf("a %s of steps that all have the same time", timeLossName)
		}
		return nil, nil
	}
	if w == nil || sum == nil {
		return nil, fmt.Errorf("it has no %s or no %s: not the state of a run", timeLossName, timeLossSumName)
	}
	if want := []int64{2, TimeBins}; !slices.Equal(sum.Shape, want) {
		return nil, fmt.Errorf("%s has the shape %v, not %v", timeLossSumName, sum.Shape, want)
	}
	all, err := w.Float32s()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", timeLossName, err)
	}
	if len(all) != s.Step()/TimeWindow*TimeBins {
		return nil, fmt.Errorf("%d values of %s for %d steps", len(all), timeLossName, s.Step())
	}
	return all, nil
}
