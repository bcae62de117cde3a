package nn

import torch "github.com/wangkuiyi/gotorch"

// SiLU is x sigmoid(x) as a layer.
func SiLU() *FunctionalModule { return Functional(torch.Silu) }

// GELU is x times the normal distribution function of x as a layer.
func GELU() *FunctionalModule { return Functional(torch.Gelu) }

// ReLU is max(x, 0) as a layer.
func ReLU() *FunctionalModule { return Functional(torch.Relu) }

// Flatten joins all dimensions but the first: [B,...] -> [B,N].
func Flatten() *FunctionalModule {
	return Functional(func(x torch.Tensor) torch.Tensor { return torch.Flatten(x, 1, -1) })
}
