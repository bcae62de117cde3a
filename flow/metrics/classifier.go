package metrics

import (
	"context"
	"fmt"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn"
	F "github.com/wangkuiyi/gotorch/nn/functional"
)

// ClassifierVersion changes with the network and its training: weights of another
// version are another judge.
const ClassifierVersion = 1

// ClassifierConfig is what a classifier is for.
type ClassifierConfig struct {
	Channels, Size, Classes int // images of Channels x Size x Size
}

// Classifier is a small convolutional network for images with values in [-1,1]:
// 3x3 convolutions, each with batch normalisation and ReLU, that halve the image
// until its side is at most 8 while the channels grow, then a hidden layer, whose
// outputs are the features, and the classes.
type Classifier struct {
	nn.Module
	Convs  []*nn.Conv2dModule
	Norms  []*nn.BatchNorm2dModule
	Hidden *nn.LinearModule
	Out    *nn.LinearModule

	config ClassifierConfig
	device torch.Device
}

// FeatureDim is the number of a classifier's features.
const FeatureDim = 64

// NewClassifier makes a network on the CPU, its numbers drawn from libtorch's
// default generator.
func NewClassifier(c ClassifierConfig) (*Classifier, error) {
	if c.Channels < 1 || c.Size < 4 || c.Size > 4096 || c.Classes < 2 {
		return nil, fmt.Errorf("metrics: a classifier needs images of 4x4 or more and two classes, not %dx%dx%d and %d", c.Channels, c.Size, c.Size, c.Classes)
	}
	m := &Classifier{config: c}
	err := torch.Try(func() {
		torch.Outside(func() {
			in, size := c.Channels, c.Size
			for _, l := range c.layers() {
				m.Convs = append(m.Convs, nn.Conv2D(int64(in), int64(l.width), 3, nn.ConvOptions{Stride: int64(l.stride), Padding: 1, NoBias: true}))
				m.Norms = append(m.Norms, nn.BatchNorm2d(int64(l.width), 1e-5, 0.1, true, true))
				in, size = l.width, (size+l.stride-1)/l.stride
			}
			m.Hidden = nn.Linear(int64(in*size*size), FeatureDim, true)
			m.Out = nn.Linear(FeatureDim, int64(c.Classes), true)
			m.Init(m)
		})
	})
	return m, err
}

// layer is a convolution.
type layer struct{ width, stride int }

// layers of the network: of 28x28, 16 channels at 28, 32 at 14, 64 at 7, 64 at 7.
// Colour has half as many again. Images above 32x32 are halved at once.
func (c ClassifierConfig) layers() []layer {
	w := 16
	if c.Channels > 1 {
		w = 24
	}
	most, size := 4*w, c.Size
	first := layer{w, 1}
	if size > 32 {
		first.stride, size = 2, (size+1)/2
	}
	all := []layer{first}
	for {
		w, size = min(2*w, most), (size+1)/2
		all = append(all, layer{w, 2})
		if size <= 8 {
			break
		}
	}
	return append(all, layer{most, 1})
}

// Config is what the network was built from.
func (m *Classifier) Config() ClassifierConfig { return m.config }

// To moves the network to the device.
func (m *Classifier) To(d torch.Device, dtype ...int8) {
	m.Module.To(d, dtype...)
	m.device = d
}

// Features: x: [B,C,H,W] -> [B,FeatureDim].
func (m *Classifier) Features(x torch.Tensor) torch.Tensor {
	for i, conv := range m.Convs {
		x = torch.Relu(m.Norms[i].Forward(conv.Forward(x)))
	}
	return torch.Relu(m.Hidden.Forward(torch.Flatten(x, 1, -1)))
}

// Forward: x: [B,C,H,W] -> logits [B,Classes].
func (m *Classifier) Forward(x torch.Tensor) torch.Tensor { return m.Out.Forward(m.Features(x)) }

// loss is the cross-entropy of a batch. x: [B,C,H,W], y: [B] int64 -> [].
func (m *Classifier) loss(x, y torch.Tensor) torch.Tensor {
	return F.CrossEntropy(m.Forward(x), y, torch.Tensor{}, -100, "mean")
}

// Judged is what a classifier sees in images.
type Judged struct {
	Labels   []int64   // [N] the likeliest class
	Features []float32 // [N,FeatureDim]
}

// judgeBatch is the images that are judged together.
const judgeBatch = 250

// Judge looks at images x: [N,C,H,W], whose values are clamped to [-1,1] as those
// of pictures are. It ends early with ctx's cause. It panics with *torch.Error
// where a tensor operation fails.
func (m *Classifier) Judge(ctx context.Context, x []float32) (*Judged, error) {
	c := m.config
	dim := c.Channels * c.Size * c.Size
	if len(x)%dim != 0 {
		return nil, fmt.Errorf("metrics: %d numbers are no whole images of %d", len(x), dim)
	}
	m.Train(false)
	out := &Judged{}
	for first := 0; first < len(x); first += judgeBatch * dim {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		part := x[first:min(len(x), first+judgeBatch*dim)]
		torch.Scoped(func() {
			torch.NoGrad(func() {
				images := torch.FromSlice(part, int64(len(part)/dim), int64(c.Channels), int64(c.Size), int64(c.Size)).To(m.device)
				features := m.Features(torch.Clamp(images, -1, 1))
				out.Features = append(out.Features, torch.ToSlice[float32](features)...)
				out.Labels = append(out.Labels, torch.ToSlice[int64](torch.ArgmaxDim(m.Out.Forward(features), 1, false))...)
			})
		})
	}
	return out, nil
}
