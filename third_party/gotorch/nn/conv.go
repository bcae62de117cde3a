package nn

import torch "github.com/wangkuiyi/gotorch"

// Conv1dModule is a convolution over length.
type Conv1dModule struct {
	Module
	Stride, Padding, Dilation, Groups int64
	Weight, Bias                      torch.Tensor // [out,in/groups,k], [out]

	frozen frozen
}

// ConvOptions configure Conv1d, Conv2D and ConvTranspose2D; fields that are 0
// stand for what their comments say.
type ConvOptions struct {
	Stride        int64 // 1
	Padding       int64 // 0, of zeros
	OutputPadding int64 // 0; of ConvTranspose2D only
	Dilation      int64 // 1
	Groups        int64 // 1
	NoBias        bool
}

func (o ConvOptions) set() ConvOptions {
	o.Stride, o.Dilation, o.Groups = max(1, o.Stride), max(1, o.Dilation), max(1, o.Groups)
	return o
}

// Conv1d makes a convolution over length.
func Conv1d(in, out, kernel int64, o ConvOptions) *Conv1dModule {
	o = o.set()
	fan := in / o.Groups * kernel
	c := &Conv1dModule{
		Stride: o.Stride, Padding: o.Padding, Dilation: o.Dilation, Groups: o.Groups,
		Weight: uniform(fan, out, in/o.Groups, kernel),
	}
	if !o.NoBias {
		c.Bias = uniform(fan, out)
	}
	c.Init(c)
	return c
}

// Forward: x: [B,in,L] -> [B,out,L'].
func (c *Conv1dModule) Forward(x torch.Tensor) torch.Tensor {
	if f := &c.frozen; f.use() {
		return torch.RawLinearPacked(f.cast(x).Transpose(1, 2), f.weight, f.bias, noActivation).Transpose(1, 2)
	}
	return torch.RawConv1d(x, c.Weight, c.Bias, []int64{c.Stride}, []int64{c.Padding}, []int64{c.Dilation}, c.Groups)
}

// Conv2dModule is a convolution over height and width.
type Conv2dModule struct {
	Module
	InChannels, OutChannels, KernelSize, Stride, Padding, Dilation, Groups int64
	PaddingMode                                                            string
	Weight, Bias                                                           torch.Tensor // [out,in/groups,k,k], [out]

	frozen frozen
}

// Conv2d makes a convolution. paddingMode is ignored: padding is of zeros.
func Conv2d(inChannels, outChannels, kernelSize, stride, padding, dilation, groups int64, bias bool, paddingMode string) *Conv2dModule {
	fan := inChannels / groups * kernelSize * kernelSize
	c := &Conv2dModule{
		InChannels: inChannels, OutChannels: outChannels, KernelSize: kernelSize, Stride: stride,
		Padding: padding, Dilation: dilation, Groups: groups, PaddingMode: paddingMode,
		Weight: uniform(fan, outChannels, inChannels/groups, kernelSize, kernelSize),
	}
	if bias {
		c.Bias = uniform(fan, outChannels)
	}
	c.Init(c)
	return c
}

// Conv2D is Conv2d by options.
func Conv2D(in, out, kernel int64, o ConvOptions) *Conv2dModule {
	o = o.set()
	return Conv2d(in, out, kernel, o.Stride, o.Padding, o.Dilation, o.Groups, !o.NoBias, "zeros")
}

// Forward: x: [B,in,H,W] -> [B,out,H',W'].
func (c *Conv2dModule) Forward(x torch.Tensor) torch.Tensor {
	s, p, d := [2]int64{c.Stride, c.Stride}, [2]int64{c.Padding, c.Padding}, [2]int64{c.Dilation, c.Dilation}
	if f := &c.frozen; f.use() {
		return torch.RawConv2dPacked(f.cast(x), f.weight, f.bias, s[:], p[:], d[:], c.Groups)
	}
	return torch.RawConv2d(x, c.Weight, c.Bias, s[:], p[:], d[:], c.Groups)
}

// ForwardWithoutBias is Forward by a layer whose bias is added elsewhere.
func (c *Conv2dModule) ForwardWithoutBias(x torch.Tensor) torch.Tensor {
	s, p, d := [2]int64{c.Stride, c.Stride}, [2]int64{c.Padding, c.Padding}, [2]int64{c.Dilation, c.Dilation}
	if f := &c.frozen; f.use() {
		return torch.RawConv2dPacked(f.cast(x), f.weight, torch.Tensor{}, s[:], p[:], d[:], c.Groups)
	}
	return torch.RawConv2d(x, c.Weight, torch.Tensor{}, s[:], p[:], d[:], c.Groups)
}

// ConvTranspose2dModule is the transpose of a convolution: it enlarges.
type ConvTranspose2dModule struct {
	Module
	InChannels, OutChannels, KernelSize, Stride, Padding, OutPadding, Groups, Dilation int64
	PaddingMode                                                                        string
	Weight, Bias                                                                       torch.Tensor // [in,out/groups,k,k], [out]
}

// ConvTranspose2d makes a transposed convolution. paddingMode is ignored:
// padding is of zeros.
func ConvTranspose2d(inChannels, outChannels, kernelSize, stride, padding, outPadding, groups int64, bias bool, dilation int64, paddingMode string) *ConvTranspose2dModule {
	fan := outChannels / groups * kernelSize * kernelSize // as PyTorch: of the weight's second dimension
	c := &ConvTranspose2dModule{
		InChannels: inChannels, OutChannels: outChannels, KernelSize: kernelSize, Stride: stride, Padding: padding,
		OutPadding: outPadding, Groups: groups, Dilation: dilation, PaddingMode: paddingMode,
		Weight: uniform(fan, inChannels, outChannels/groups, kernelSize, kernelSize),
	}
	if bias {
		c.Bias = uniform(fan, outChannels)
	}
	c.Init(c)
	return c
}

// ConvTranspose2D is ConvTranspose2d by options.
func ConvTranspose2D(in, out, kernel int64, o ConvOptions) *ConvTranspose2dModule {
	o = o.set()
	return ConvTranspose2d(in, out, kernel, o.Stride, o.Padding, o.OutputPadding, o.Groups, !o.NoBias, o.Dilation, "zeros")
}

// Forward: x: [B,in,H,W] -> [B,out,H',W'].
func (c *ConvTranspose2dModule) Forward(x torch.Tensor) torch.Tensor {
	s, p, o := [2]int64{c.Stride, c.Stride}, [2]int64{c.Padding, c.Padding}, [2]int64{c.OutPadding, c.OutPadding}
	d := [2]int64{c.Dilation, c.Dilation}
	return torch.RawConvTranspose2d(x, c.Weight, c.Bias, s[:], p[:], o[:], c.Groups, d[:])
}
