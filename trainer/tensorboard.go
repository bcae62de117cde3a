package trainer

import (
	"errors"
	"fmt"
	"image"
	"math"
	"time"

	"github.com/wangkuiyi/gotorch/atomicfile"
	"github.com/wangkuiyi/gotorch/disk"

	"flowmatch/trainer/tfevents"
)

// TensorBoardDir is the folder of a run that has its event files.
const TensorBoardDir = "tensorboard"

// TensorBoard is an observer that writes the scalars of metrics.jsonl, and pictures that
// it is given, as event files for TensorBoard. Each start of a run has a file of its own,
// so that a torn one is never appended to. It takes back the steps that are done again,
// and has those that are in no file.
type TensorBoard struct {
	Dir string // of the event files; it is made where there is none
	// Earlier gives the pictures of the run after a step, up to another one; may be nil.
	Earlier func(after, upto int) []Picture

	f    disk.File
	buf  []byte // records that are still to be written
	data []byte
	err  error // the first; after a torn record nothing may follow
}

// Picture is what a run shows of a step.
type Picture struct {
	Step int
	Tag  string // "samples"
	PNG  []byte
	Size image.Point
}

// Start begins a file.
func (b *TensorBoard) Start(past []Metric) error {
	if err := atomicfile.MkdirAll(b.Dir); err != nil {
		return fmt.Errorf("the folder for TensorBoard cannot be made: %w", err)
	}
	last, err := tfevents.Last(b.Dir)
	if err != nil {
		return fmt.Errorf("the event files of before cannot be read: %w", err)
	}
	if b.f, err = tfevents.Create(b.Dir); err != nil {
		return fmt.Errorf("an event file for TensorBoard cannot be made: %w", err)
	}
	have := int(min(last, int64(len(past)))) // steps that are in the files, and stay
	b.add(tfevents.Event{FileVersion: tfevents.Version})
	b.add(tfevents.Event{Step: int64(have) + 1, Start: true})
	b.steps(past[have:])
	if b.Earlier != nil && have < len(past) {
		for _, p := range b.Earlier(have, len(past)) {
			b.picture(p)
		}
	}
	return b.Flush()
}

// Restart begins another file after an error.
func (b *TensorBoard) Restart(past []Metric) error {
	_ = b.Close() // with the error that is known
	*b = TensorBoard{Dir: b.Dir, Earlier: b.Earlier}
	b.err = b.Start(past)
	return b.err
}

// Look writes the steps.
func (b *TensorBoard) Look(l Look) error {
	b.steps(l.Steps)
	return b.Flush()
}

// Picture writes one.
func (b *TensorBoard) Picture(p Picture) error {
	if b.f == nil || b.err != nil {
		return b.err
	}
	b.picture(p)
	return b.Flush()
}

func (b *TensorBoard) picture(p Picture) {
	b.add(tfevents.Event{Step: int64(p.Step), Pictures: []tfevents.Picture{{Tag: p.Tag, Width: p.Size.X, Height: p.Size.Y, PNG: p.PNG}}})
}

// Flush writes what is still to be written.
func (b *TensorBoard) Flush() error {
	if b.err == nil && len(b.buf) > 0 {
		if _, err := b.f.Write(b.buf); err != nil {
			b.err = fmt.Errorf("an event file for TensorBoard in %s was not written: %w", b.Dir, err)
		}
	}
	b.buf = b.buf[:0]
	return b.err
}

// Close ends the file.
func (b *TensorBoard) Close() error {
	if b.f == nil {
		return b.err
	}
	return errors.Join(b.Flush(), b.f.Close())
}

func (b *TensorBoard) steps(all []Metric) {
	for i := range all {
		b.add(tfevents.Event{Step: int64(all[i].Step), Scalars: all[i].scalars()})
	}
}

func (b *TensorBoard) add(e tfevents.Event) {
	e.WallTime = float64(time.Now().UnixMicro()) / 1e6
	b.data = e.Append(b.data[:0])
	b.buf = tfevents.AppendRecord(b.buf, b.data)
}

// scalars are the numbers of a step. What was not finite is NaN, which TensorBoard
// marks; a tenth of [0,1) where no time fell is left out.
func (m *Metric) scalars() []tfevents.Scalar {
	value := func(v *float64) float32 {
		if v == nil {
			return float32(math.NaN())
		}
		return float32(*v)
	}
	out := []tfevents.Scalar{
		{Tag: "loss", Value: value(m.Loss)}, {Tag: "grad_norm", Value: value(m.GradNorm)},
		{Tag: "learning_rate", Value: float32(m.Rate)},
	}
	for i, v := range m.LossByTime {
		if v != nil {
			out = append(out, tfevents.Scalar{Tag: fmt.Sprintf("loss_by_time/%.1f", float64(i)/TimeBins), Value: value(v)})
		}
	}
	return out
}
