// Package initializer fills tensors in place, as torch.nn.init does. No
// gradients are recorded, so that it can be used on parameters.
package initializer

import (
	"math"

	torch "github.com/wangkuiyi/gotorch"
)

// ManualSeed seeds libtorch's default generators.
func ManualSeed(seed int64) { torch.ManualSeed(seed) }

// Zeros fills a with 0.
func Zeros(a *torch.Tensor) { torch.NoGrad(func() { a.FillI(0) }) }

// Ones fills a with 1.
func Ones(a *torch.Tensor) { torch.NoGrad(func() { a.FillI(1) }) }

// Uniform fills a with uniform numbers in [low, high).
func Uniform(a *torch.Tensor, low, high float64) {
	torch.NoGrad(func() { a.UniformI(low, high, nil) })
}

// Normal fills a with normal numbers.
func Normal(a *torch.Tensor, mean, std float64) {
	torch.NoGrad(func() { a.NormalI(mean, std, nil) })
}

// KaimingUniform fills input so that activations keep their variance (He et
// al. 2015): uniform in [-bound, bound], bound = gain sqrt(3 / fan).
//
// fanMode is "fan_in", which keeps it in the forward pass, or "fan_out".
// nonLinearity names what follows the layer; a is leaky_relu's negative slope.
func KaimingUniform(input *torch.Tensor, a float64, fanMode string, nonLinearity string) {
	in, out := CalculateFanInAndFanOut(*input)
	fan := in
	switch fanMode {
	case "fan_in":
	case "fan_out":
		fan = out
	default:
		fail("KaimingUniform", "fanMode is "+fanMode+"; it must be fan_in or fan_out")
	}
	bound := 0.0
	if fan > 0 {
		bound = gain(nonLinearity, a) * math.Sqrt(3/float64(fan))
	}
	Uniform(input, -bound, bound)
}

func gain(nonLinearity string, a float64) float64 {
	switch nonLinearity {
	case "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "sigmoid":
		return 1
	case "tanh":
		return 5.0 / 3
	case "relu":
		return math.Sqrt2
	case "leaky_relu":
		return math.Sqrt(2 / (1 + a*a))
	case "selu":
		return 0.75
	}
	fail("KaimingUniform", "nonLinearity "+nonLinearity+" is unknown")
	return 0
}

// CalculateFanInAndFanOut is the numbers of a weight's inputs and outputs.
// input: [out,in,...].
func CalculateFanInAndFanOut(input torch.Tensor) (int64, int64) {
	shape := input.Shape()
	if len(shape) < 2 {
		fail("CalculateFanInAndFanOut", "a tensor of at least two dimensions is needed")
	}
	field := torch.Numel(shape[2:])
	return shape[1] * field, shape[0] * field
}

func fail(op, msg string) { panic(&torch.Error{Op: op, Msg: msg}) }
