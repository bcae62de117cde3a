package trainer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/atomicfile"
	"github.com/wangkuiyi/gotorch/nn"
	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/safetensors"
	"github.com/wangkuiyi/gotorch/weights"

	"flowmatch/flow"
	"flowmatch/models"
)

// Checkpoint is a network's weights from a file.
type Checkpoint struct {
	Path    string
	Record  *Record // nil for files that PyTorch saved
	Tensors *weights.Dict
	Choice  Choice // what of the file it is
	// State tells that the file is a run's state.
	State bool

	record []byte // as it was read
}

// File is what a file of these weights alone holds.
func (c *Checkpoint) File() *weights.File {
	record := c.record
	if c.State {
		record = ofCheckpoint(c.Record, record)
	}
	return &weights.File{Tensors: c.Tensors, Record: record}
}

// ToBFloat16 rounds the weights.
func (c *Checkpoint) ToBFloat16() error {
	rounded := &weights.Dict{}
	for name, t := range c.Tensors.All() {
		r, err := t.ToBFloat16()
		if err != nil {
			return fmt.Errorf("%s: %s: %w", c.Path, name, err)
		}
		if t.Finite() && !r.Finite() {
			return fmt.Errorf("%s: %s has numbers that bfloat16 cannot hold", c.Path, name)
		}
		rounded.Set(name, r)
	}
	c.Tensors = rounded
	return nil
}

// WriteWeights writes a .pth or .safetensors file, by its ending. When ctx ends first,
// the file is what it was before.
func WriteWeights(ctx context.Context, path string, f *weights.File) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		write := pth.Write
		if strings.EqualFold(filepath.Ext(path), ".safetensors") {
			write = safetensors.Write
		}
		if err := write(stoppable{ctx, w}, f); err != nil {
			return err
		}
		return context.Cause(ctx)
	})
}

// stoppable refuses to write on when its context has ended.
type stoppable struct {
	ctx context.Context
	w   io.Writer
}

func (s stoppable) Write(p []byte) (int, error) {
	if s.ctx.Err() != nil {
		return 0, context.Cause(s.ctx)
	}
	return s.w.Write(p)
}

// ReadCheckpoint reads the weights of a network, and the record if there is
// one.
func ReadCheckpoint(path string) (*Checkpoint, error) { return ReadNetwork(path, Best) }

// ReadNetwork is ReadCheckpoint where the file may hold the weights as they are and
// averaged ones, as a run's state does. Its errors are *WeightsError where it does
// not have those that are meant.
func ReadNetwork(path string, want Averaging) (*Checkpoint, error) {
	content, err := ReadContent(path)
	if err != nil {
		return nil, err
	}
	return content.checkpoint(path, want)
}

// ParseCheckpoint is ReadCheckpoint of a .safetensors file that is in memory. name
// stands for its path.
func ParseCheckpoint(name string, file []byte) (*Checkpoint, error) {
	f, err := safetensors.ReadFrom(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return contentOf(f).checkpoint(name, Best)
}

func (content *Content) checkpoint(path string, want Averaging) (_ *Checkpoint, err error) {
	c := &Checkpoint{Path: path, record: content.Record}
	if content.Record == nil {
		c.Tensors, c.Choice, err = content.choose(path, want)
		return c, err
	}
	if c.Record, err = ParseRecord(content.Record); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, c.own(content, want)
}

// own takes the weights of a file that we wrote.
func (c *Checkpoint) own(content *Content, want Averaging) error {
	averaged := c.Record.Training.Configuration.EMADecay > 0
	c.State = content.State()
	switch {
	case want == Averaged && !averaged:
		return &WeightsError{c.Path + ": it holds no averaged weights: its run kept no average"}
	case want == Raw && averaged && !c.State:
		return &WeightsError{c.Path + ": it holds averaged weights alone; the run's " + StateFile + " has those before averaging too"}
	case !c.State:
		c.Tensors = content.dict("", nil)
		return nil
	}
	c.Choice.Prefix = partModel
	if averaged {
		c.Choice.Other = strings.TrimSuffix(partEMA, ".")
		if want != Raw {
			c.Choice.Prefix, c.Choice.Other = partEMA, strings.TrimSuffix(partModel, ".")
		}
	}
	c.Tensors = content.dict(c.Choice.Prefix, nil)
	return nil
}

// Note says in a line what of the file was taken, "" where it is all of it. other is
// how a user asks for the other weights.
func (c *Checkpoint) Note(other string) string {
	var parts []string
	prefix := strings.TrimSuffix(c.Choice.Prefix, ".")
	switch {
	case c.State && c.Choice.Other == "":
		return fmt.Sprintf("%s is a run's state after step %d: its weights are taken", c.Path, c.Record.Training.Step)
	case c.State && c.Choice.Prefix == partModel:
		return fmt.Sprintf("%s is a run's state after step %d: its weights before averaging are taken", c.Path, c.Record.Training.Step)
	case c.State:
		return fmt.Sprintf("%s is a run's state after step %d: its averaged weights are taken; %s takes those before averaging", c.Path, c.Record.Training.Step, other)
	case c.Choice.Other != "":
		parts = append(parts, fmt.Sprintf("it holds several weights, of which %s are taken and not %s", orPlain(prefix), c.Choice.Other))
		if weights.Averaged(prefix) {
			parts[0] += " (" + other + " takes those before averaging)"
		}
	case prefix != "":
		parts = append(parts, fmt.Sprintf("the prefix %s was taken off the names", prefix))
	}
	if out := c.Choice.LeftOut; len(out) > 0 {
		more, verb := "", "is"
		if len(out) > 1 {
			verb = "are"
		}
		if len(out) > 3 {
			more = fmt.Sprintf(" and %d more", len(out)-3)
			out = out[:3]
		}
		parts = append(parts, fmt.Sprintf("%.200s%s %s no weight and left out", strings.Join(out, ", "), more, verb))
	}
	if parts == nil {
		return ""
	}
	return Printable(c.Path + ": " + strings.Join(parts, "; "))
}

func orPlain(prefix string) string {
	if prefix == "" {
		return "those without a prefix"
	}
	return prefix
}

// Network builds the network of the configuration with the checkpoint's weights
// on the device, for evaluation.
func (c *Checkpoint) Network(cfg models.Config, d torch.Device) (models.Network, error) {
	if err := c.fits(cfg.LeastParameters()); err != nil {
		return nil, err
	}
	m, err := cfg.Build()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Path, err)
	}
	return m, c.fill(m, d)
}

// Velocity is what the checkpoint's network has learnt, at the times that its path
// is learnt at. A file without a record is of the straight path.
func (c *Checkpoint) Velocity(cfg models.Config, d torch.Device) (flow.Velocity, error) {
	return c.velocity(cfg, d, func(models.Network) {})
}

// Sampler is Velocity for many evaluations without gradients: its weights are laid out
// for them, and those of layers within the network cast to bf16 if precision is that, once.
// precision is one of Precisions but auto.
func (c *Checkpoint) Sampler(cfg models.Config, d torch.Device, precision string) (flow.Velocity, error) {
	if !d.IsCUDA() {
		return c.velocity(cfg, d, func(n models.Network) { nn.Freeze(n, frozenType(precision)) })
	}
	var rounded *torch.Roundings
	v, err := c.velocity(cfg, d, func(n models.Network) {
		models.LayOut(n, d, precision == "bf16")
		if precision == "bf16" {
			rounded = torch.NewRoundings(nn.Parameters(n))
		}
	})
	if err != nil || precision == "tf32" {
		return v, err
	}
	mode := torch.FullPrecision
	if precision == "bf16" {
		mode = func(f func()) { torch.Autocast(d, torch.BFloat16, func() { rounded.Use(f) }) }
	}
	return func(x, t, y torch.Tensor) (dx torch.Tensor) {
		mode(func() { dx = v(x, t, y) })
		return dx
	}, nil
}

// frozenType is that of the weights that nn.Freeze lays out, by one of Precisions but auto.
func frozenType(precision string) int8 {
	if precision == "bf16" {
		return torch.BFloat16
	}
	return torch.Float
}

func (c *Checkpoint) velocity(cfg models.Config, d torch.Device, prepare func(models.Network)) (flow.Velocity, error) {
	var path flow.Path = flow.OTPath{}
	if c.Record != nil {
		var err error
		if path, err = c.Record.Training.Configuration.path(); err != nil {
			return nil, fmt.Errorf("%s: the record: %w", c.Path, err)
		}
	}
	net, err := c.Network(cfg, d)
	if err != nil {
		return nil, err
	}
	if err := torch.Try(func() { prepare(net) }); err != nil {
		return nil, err
	}
	return flow.Within(path, net.Velocity), nil
}

// fits refuses to build a network that is larger than the file: what a record
// claims must cost no memory.
func (c *Checkpoint) fits(least float64) error {
	var have float64
	for _, t := range c.Tensors.All() {
		n := 1.0
		for _, d := range t.Shape {
			n *= float64(d)
		}
		have += n
	}
	if least > have {
		return fmt.Errorf("%s: the weights do not fit the network; it has %.0f parameters or more, and the file %.0f", c.Path, least, have)
	}
	return nil
}

func (c *Checkpoint) fill(m models.Network, d torch.Device) error {
	if err := models.Load(m, c.Tensors); err != nil {
		return fmt.Errorf("%s: %w", c.Path, err)
	}
	m.Train(false)
	return torch.Try(func() { m.To(d) })
}

func mustJSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only configurations of our own come here
	}
	return b
}

// IsWeightFile tells by the ending whether a path is of a file of weights.
func IsWeightFile(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".pth", ".pt", ".safetensors":
		return true
	}
	return false
}
