package trainer

import (
	"math"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"

	"flowmatch/flow"
	"flowmatch/models"
)

// What a seed is for, so that no two draws of a step share one.
const (
	drawNoise = iota
	drawDropout
	drawPair
	drawCoupled
)

// engine holds the tensors of a run and does its steps.
type engine struct {
	c       Config
	network models.Network
	device  torch.Device

	objective flow.Objective
	classes   bool // the network takes labels
	dropout   bool // it draws random numbers of its own

	names  []string
	params []torch.Tensor
	ema    []torch.Tensor // nil where no average is kept
	adamw  *torch.AdamW
	// rounded are the parameters as products in bf16 take them; nil where autocast
	// casts them.
	rounded *torch.Roundings
	kept    bool // by the update, on a GPU, too
	gen     *torch.Generator
	ring    torch.Tensor // [2,slots] float32: loss and gradient norm of the last steps
	slots   int          // the most steps between two looks at the device
	filled  int
	// schedule has on the device what steps would be told; nil where they are.
	schedule *deviceSchedule

	recorder   recorder // of steps; nil where they are not recorded
	warm       int      // steps done by this engine
	graph      *stepGraph
	unrecorded error // why steps could not be recorded

	bad []badStep // since the device was read

	diagnostics []Diagnostic // told of every batch
}

// slotsOf is the most steps between two looks at a device. A GPU has no work
// while it is looked at, and small networks take 5,000 steps there in a second.
func slotsOf(d torch.Device) int {
	if d.IsCUDA() {
		return 4096
	}
	return 64
}

func newEngine(c Config, m models.Network, d torch.Device) *engine {
	n, null := m.Config(), int64(-1)
	if n.HasNullClass() {
		null = int64(n.Classes())
	}
	e := &engine{
		c: c, network: m, device: d, slots: slotsOf(d),
		objective: c.Objective(null), classes: n.Classes() > 0, dropout: n.HasDropout(),
	}
	bf16 := c.Precision == "bf16"
	models.LayOut(m, d, bf16)
	for _, n := range nn.Tensors(m) {
		e.names = append(e.names, n.Name)
		e.params = append(e.params, n.Tensor)
	}
	torch.Outside(func() {
		torch.NoGrad(func() {
			if c.EMADecay > 0 {
				for _, p := range e.params {
					e.ema = append(e.ema, torch.Clone(p))
				}
			}
			e.ring = torch.Zeros([]int64{2, int64(e.slots)}, torch.Options{Device: d})
			if d.IsCUDA() {
				e.schedule = newDeviceSchedule(e.slots, d)
			}
		})
		e.adamw = torch.NewAdamW(e.params, torch.AdamWOptions{WeightDecay: c.WeightDecay})
		e.gen = torch.NewGenerator(d, 0)
		if bf16 {
			e.rounded = torch.NewRoundings(e.params)
		}
	})
	return e
}

func (e *engine) close() {
	e.forget()
	e.rounded.Close()
	if e.schedule != nil {
		e.schedule.close()
	}
	for _, ts := range [][]torch.Tensor{e.ema, e.adamw.ExpAvg, e.adamw.ExpAvgSq, {e.adamw.StepCount, e.ring}} {
		for _, t := range ts {
			t.Close()
		}
	}
	e.gen.Close()
}

// step does step k = 0, 1, ... of the run.
func (e *engine) step(k int, src Source) (err error) {
	if e.schedule != nil && e.filled == 0 {
		e.schedule.fill(e.c, k)
	}
	torch.Scoped(func() {
		if e.warm >= warmSteps && e.recordable() {
			err = e.recordedStep(k, src)
		} else {
			err = e.eager(k, src)
		}
	})
	if err == nil {
		e.filled++
		e.warm++
	}
	return err
}

// eager does step k operation by operation.
func (e *engine) eager(k int, src Source) error {
	torch.ZeroGrad(e.params)
	e.rounded.Refresh()
	var total torch.Tensor
	for part := range e.c.Accumulate {
		loss, err := e.gradients(k*e.c.Accumulate+part, src, 1/float64(e.c.Accumulate))
		if err != nil {
			return err
		}
		if part == 0 {
			total = loss
		} else {
			total = torch.Add(total, loss, 1)
		}
	}
	torch.NoGrad(func() { e.update(k, total) })
	return nil
}

// batch is what the network is to learn of one: xt, u: [B,...], t: [B], y: [B] or
// none.
type batch struct{ xt, t, u, y torch.Tensor }

// draw makes batch m of the run.
func (e *engine) draw(m int, src Source) (b batch, err error) {
	data, err := e.data(src)
	if err != nil {
		return b, err
	}
	e.gen.Seed(flow.Mix(uint64(e.c.Seed), uint64(m), drawNoise))
	b.xt, b.t, b.u, b.y = e.objective.Draw(e.gen, data.X0, data.X1, data.Y)
	e.seedDropout(m)
	return b, nil
}

// data is the next batch of the source, its labels if the network takes some.
func (e *engine) data(src Source) (Batch, error) {
	b, err := src.Batch()
	if !e.classes {
		b.Y = torch.Tensor{}
	}
	return b, err
}

// seedDropout seeds the network's own random numbers, if it draws any, for batch m.
func (e *engine) seedDropout(m int) {
	if e.dropout {
		torch.ManualSeed(int64(flow.Mix(uint64(e.c.Seed), uint64(m), drawDropout) >> 1))
	}
}

// velocity is the network's of a batch, or of a part of one: [B,...].
func (e *engine) velocity(b batch) (v torch.Tensor) {
	withPrecision(e.c.Precision, e.device, func() {
		e.rounded.Use(func() { v = e.network.Velocity(b.xt, b.t, b.y) })
	})
	return v
}

// diagnose shows the diagnostics a batch and the network's velocities.
func (e *engine) diagnose(v torch.Tensor, b batch) {
	for _, d := range e.diagnostics {
		d.Batch(v, b.u, b.t)
	}
}

// loss is the loss of batch m of the run: [].
func (e *engine) loss(m int, src Source) (torch.Tensor, error) {
	b, err := e.draw(m, src)
	if err != nil {
		return torch.Tensor{}, err
	}
	e.rounded.Refresh()
	v := e.velocity(b)
	e.diagnose(v, b)
	return flow.Loss(v, b.u), nil
}

func withPrecision(precision string, d torch.Device, f func()) {
	if precision == "bf16" {
		torch.Autocast(d, torch.BFloat16, f)
		return
	}
	f()
}

// update moves the parameters and their average, unless a gradient is not
// finite, and notes loss and norm in the ring. k is that of the step where there is no
// schedule on the device.
func (e *engine) update(k int, loss torch.Tensor) {
	if s := e.schedule; s != nil && e.adamw.StepOnDevice(s.told(loss, e.c.GradClip, e.ring), e.ema) {
		e.kept = true
		return
	}
	norm := torch.GradNorm(e.params)
	rest := torch.MulScalar(torch.Add(norm, loss, 1), 0) // 0, or NaN where one is not finite
	bad := torch.Ne(rest, rest).CastTo(torch.Float)
	g := torch.AdamWGuards{FoundInf: bad}
	if e.c.GradClip > 0 {
		// The gradients are divided by max(1, norm / clip).
		g.GradScale = torch.Clamp(torch.MulScalar(torch.AddScalar(norm, 1e-6), 1/e.c.GradClip), 1, math.MaxFloat32)
	}
	if s := e.schedule; s != nil { // which knows what k is
		rate, weight := s.now()
		e.adamw.StepWith(rate, g)
		if e.ema != nil {
			torch.LerpAllWith(e.ema, e.params, weight)
		}
		s.note(e.ring, loss, norm)
		return
	}
	e.suspect(k, loss, norm)
	if e.ema != nil {
		e.adamw.StepAveraged(e.c.Rate(k), g, e.ema, 1-e.c.Decay(k))
	} else {
		e.adamw.Step(e.c.Rate(k), g)
	}
	slot := torch.Select(e.ring, 1, int64(e.filled))
	slot.CopyI(torch.Stack([]torch.Tensor{loss, norm}, 0))
}

// read empties the ring: the losses and gradient norms of the steps since the
// last time. Diagnostics are read, too.
func (e *engine) read() (losses, norms []float32) {
	if e.filled == 0 {
		return nil, nil
	}
	all := torch.ToSlice[float32](e.ring)
	losses, norms = all[:e.filled], all[e.slots:e.slots+e.filled]
	e.filled = 0
	for _, d := range e.diagnostics {
		d.Read()
	}
	return losses, norms
}
