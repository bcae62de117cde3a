package trainer

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/safetensors"
	"github.com/wangkuiyi/gotorch/weights"

	"flowmatch/models"
)

// Checkpoint is a file of weights.
type Checkpoint struct {
	Path    string
	Record  *Record // nil for files that PyTorch saved
	Tensors *weights.Dict
}

// ReadWeights reads a .pth or .safetensors file, by its ending.
func ReadWeights(path string) (*weights.File, error) {
	if strings.EqualFold(filepath.Ext(path), ".safetensors") {
		return safetensors.Read(path)
	}
	return pth.Read(path)
}

// WriteWeights writes a .pth or .safetensors file, by its ending.
func WriteWeights(path string, f *weights.File) error {
	if strings.EqualFold(filepath.Ext(path), ".safetensors") {
		return safetensors.WriteFile(path, f)
	}
	return pth.WriteFile(path, f)
}

// ReadCheckpoint reads the weights of a network, and the record if there is
// one.
func ReadCheckpoint(path string) (*Checkpoint, error) {
	f, err := ReadWeights(path)
	if err != nil {
		return nil, err
	}
	c := &Checkpoint{Path: path, Tensors: f.Tensors}
	if f.Record != nil {
		if c.Record, err = ParseRecord(f.Record); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return c, nil
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
