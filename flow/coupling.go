package flow

import torch "github.com/wangkuiyi/gotorch"

// Coupling says which noise goes with which data.
type Coupling interface {
	// Noise is that of data x1: [B,...] of the classes y: [B] int64, or the zero
	// Tensor, drawn from gen: -> x0: [B,...] in the order of x1.
	Noise(gen *torch.Generator, x1, y torch.Tensor) torch.Tensor
}

// Independent noise does not depend on the data (Lipman et al. 2023).
type Independent struct{}

// Noise: x1: [B,...] -> x0: [B,...] of N(0, I).
func (Independent) Noise(gen *torch.Generator, x1, _ torch.Tensor) torch.Tensor {
	return torch.RandNWith(gen, x1.Shape(), torch.Options{Device: x1.Device()})
}
