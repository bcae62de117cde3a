// Package functional has the layers as functions, as torch.nn.functional.
// Where None is possible, it is the zero torch.Tensor{}.
package functional

import (
	"math"

	torch "github.com/wangkuiyi/gotorch"
)

// BatchNorm normalises over all but the second dimension. In training it also
// updates runningMean and runningVar, where they are given. input: [B,C,...],
// the other tensors [C].
func BatchNorm(input, runningMean, runningVar, weight, bias torch.Tensor, training bool, momentum, eps float64) torch.Tensor {
	return torch.RawBatchNorm(input, weight, bias, runningMean, runningVar, training, momentum, eps)
}

// Conv2d: input: [B,C,H,W], weight: [O,C/groups,KH,KW] -> [B,O,H',W'].
func Conv2d(input, weight, bias torch.Tensor, stride, padding, dilation []int64, groups int64) torch.Tensor {
	return torch.RawConv2d(input, weight, bias, stride, padding, dilation, groups)
}

// ConvTranspose2d: input: [B,C,H,W], weight: [C,O/groups,KH,KW] ->
// [B,O,H',W'].
func ConvTranspose2d(input, weight, bias torch.Tensor, stride, padding, outputPadding []int64, groups int64, dilation []int64) torch.Tensor {
	return torch.RawConvTranspose2d(input, weight, bias, stride, padding, outputPadding, groups, dilation)
}

// GroupNorm normalises groups of channels. input: [B,C,...], weight, bias: [C]
// or none.
func GroupNorm(input torch.Tensor, groups int64, weight, bias torch.Tensor, eps float64) torch.Tensor {
	return torch.RawGroupNormAct(input, torch.Tensor{}, groups, weight, bias, eps, false)
}

// GroupNormSiLU is SiLU of GroupNorm of input + shift, in one pass. shift:
// [B,C], added to every pixel, or none.
func GroupNormSiLU(input, shift torch.Tensor, groups int64, weight, bias torch.Tensor, eps float64) torch.Tensor {
	return torch.RawGroupNormAct(input, shift, groups, weight, bias, eps, true)
}

// LogSoftmax along dim. A negative dim stands for 1, or for 0 if input has
// none, one or three dimensions: torch's old rule.
func LogSoftmax(input torch.Tensor, dim int64) torch.Tensor {
	if dim < 0 {
		switch input.Dim() {
		case 0, 1, 3:
			dim = 0
		default:
			dim = 1
		}
	}
	return torch.LogSoftmax(input, dim)
}

// reductionOf is libtorch's number of "none", "mean" or "sum".
func reductionOf(op, reduction string) int64 {
	switch reduction {
	case "none":
		return 0
	case "mean":
		return 1
	case "sum":
		return 2
	}
	panic(&torch.Error{Op: op, Msg: "reduction is " + reduction + "; it must be none, mean or sum"})
}

// NllLoss is -input at target. input: logarithms of probabilities [B,C] or
// [B,C,...], target: int64 [B] or [B,...], weight: [C] or none.
func NllLoss(input, target, weight torch.Tensor, ignoreIndex int64, reduction string) torch.Tensor {
	return torch.RawNllLoss(input, target, weight, reductionOf("NllLoss", reduction), ignoreIndex)
}

// CrossEntropy is NllLoss of log-softmax.
func CrossEntropy(input, target, weight torch.Tensor, ignoreIndex int64, reduction string) torch.Tensor {
	return torch.RawCrossEntropy(input, target, weight, reductionOf("CrossEntropy", reduction), ignoreIndex)
}

// BinaryCrossEntropy is -weight (target log(input) + (1-target)
// log(1-input)), each logarithm at least -100. Targets should be in [0, 1],
// and libtorch refuses others; upstream's did not, and so they are accepted.
func BinaryCrossEntropy(input, target, weight torch.Tensor, reduction string) torch.Tensor {
	r := reductionOf("BinaryCrossEntropy", reduction)
	if inside(target) {
		return torch.RawBCELoss(input, target, weight, r)
	}
	a := torch.Mul(target, logClamped(input))
	b := torch.Mul(oneMinus(target), logClamped(oneMinus(input)))
	loss := torch.Neg(torch.Add(a, b, 1))
	if weight.T != nil {
		loss = torch.Mul(loss, weight)
	}
	switch reduction {
	case "mean":
		return torch.Mean(loss)
	case "sum":
		return torch.SumAll(loss)
	}
	return loss
}

func inside(target torch.Tensor) (ok bool) {
	torch.Scoped(func() {
		ok = target.Numel() == 0 || (torch.MinAll(target).ItemFloat() >= 0 && torch.MaxAll(target).ItemFloat() <= 1)
	})
	return ok
}

func oneMinus(x torch.Tensor) torch.Tensor { return torch.AddScalar(torch.Neg(x), 1) }

func logClamped(x torch.Tensor) torch.Tensor { return torch.Log(torch.Clamp(x, math.Exp(-100), 1)) }

// Relu is max(input, 0), written into input if inplace.
func Relu(input torch.Tensor, inplace bool) torch.Tensor {
	if inplace {
		return torch.RawReluI(input)
	}
	return torch.Relu(input)
}

// LeakyRelu is input where positive, negativeSlope input elsewhere, written
// into input if inplace.
func LeakyRelu(input torch.Tensor, negativeSlope float64, inplace bool) torch.Tensor {
	if inplace {
		return torch.RawLeakyReluI(input, negativeSlope)
	}
	return torch.LeakyRelu(input, negativeSlope)
}

// Linear is input weight' + bias. input: [...,I], weight: [O,I] -> [...,O].
func Linear(input, weight, bias torch.Tensor) torch.Tensor {
	return torch.RawLinear(input, weight, bias)
}

// MaxPool2d: input: [B,C,H,W]; an empty stride is the kernel's size.
func MaxPool2d(input torch.Tensor, kernelSize, stride, padding, dilation []int64, ceilMode bool) torch.Tensor {
	return torch.RawMaxPool2d(input, kernelSize, stride, padding, dilation, ceilMode)
}

// AdaptiveAvgPool2d: input: [B,C,H,W] -> [B,C,outputSize[0],outputSize[1]].
func AdaptiveAvgPool2d(input torch.Tensor, outputSize []int64) torch.Tensor {
	return torch.RawAdaptiveAvgPool2d(input, outputSize)
}
