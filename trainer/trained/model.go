package trained

import (
	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/freememory"

	"flowmatch/datasets"
	"flowmatch/flow"
	"flowmatch/models"
	"flowmatch/trainer"
)

// Model is a checkpoint whose network is known.
type Model struct {
	Checkpoint *trainer.Checkpoint
	Config     models.Config
	Info       datasets.Info // of the set, with the names of the classes
	Shape      []int         // of a sample: [C,H,W], or [2]
	// Classes are the labels it takes, 0 for none. NullClass: label Classes
	// stands for none.
	Classes   int
	NullClass bool
	PerSample int // bytes of a layer's output
}

// Build makes the network on the device.
func (m *Model) Build(d torch.Device) (models.Network, error) {
	return m.Checkpoint.Network(m.Config, d)
}

// Velocity is what the network has learnt, for evaluation on the device.
func (m *Model) Velocity(d torch.Device) (flow.Velocity, error) {
	return m.Checkpoint.Velocity(m.Config, d)
}

// Distilled tells whether the model has learnt its velocity at t = 0 alone: one
// Euler step is all that it is for.
func (m *Model) Distilled() bool {
	r := m.Checkpoint.Record
	return r != nil && r.Training.Configuration.Reflow != nil && r.Training.Configuration.Reflow.Distill
}

// OtherSet is the name of the set that the model was trained on by its record, if it is
// another than that which it was opened as; else "". A folder's name says nothing.
func (m *Model) OtherSet() string {
	r := m.Checkpoint.Record
	if r == nil || r.Dataset.Name == "" || r.Dataset.Name == m.Info.Name || r.Dataset.Name == m.Info.Slug() || datasets.TraitsOf(m.Info.Name).Sized {
		return ""
	}
	return r.Dataset.Name
}

// Sampler is Velocity for samples, many evaluations without gradients, in a precision
// of trainer.SamplingPrecision.
func (m *Model) Sampler(d torch.Device, precision string) (flow.Velocity, error) {
	return m.Checkpoint.Sampler(m.Config, d, precision)
}

// Batch is [Batch] of the model's network.
func (m *Model) Batch(d torch.Device) int { return Batch(m.Config, d) }

// Batch is how many samples of a network are evaluated together on a device: so many
// that a layer's output stays near 64 MB, and all that an evaluation holds within an
// eighth of what is free of a GPU. On a processor, whose cores each have a batch
// (flow.Sampling), near 12 MB, and within a GB for all cores, or a quarter of the memory
// that is free: smaller ones take longer for a sample, larger ones no less. (Guidance
// doubles it.)
func Batch(n models.Config, d torch.Device) int {
	if d.IsCUDA() {
		return batch(n.SampleBytes(), n.WorkBytes(), 64<<20, torch.CUDADeviceInfo(d).Free/8)
	}
	room := int64(1 << 30)
	if free := freememory.Bytes() / 4; free > 0 {
		room = min(room, free)
	}
	return batch(n.SampleBytes(), n.WorkBytes(), 12<<20, room/int64(torch.NumThreads()))
}

// batch is of samples of so many bytes, of which a layer's outputs are to have layer
// bytes and all that is held room.
func batch(perSample, work, layer int, room int64) int {
	return max(1, min(8192, layer/perSample, int(room/int64(work))))
}

// Dims is Shape for the binding.
func (m *Model) Dims() []int64 { return m.Config.SampleShape() }

// Null is the label of the null class; it is -1 where there is none.
func (m *Model) Null() int64 {
	if !m.NullClass {
		return -1
	}
	return int64(m.Classes)
}
