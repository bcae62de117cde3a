package nn

import torch "github.com/wangkuiyi/gotorch"

// BatchNorm2dModule normalises every channel over the batch (Ioffe and
// Szegedy 2015).
type BatchNorm2dModule struct {
	Module
	NumFeatures               int64
	Eps, Momentum             float64
	Affine, TrackRunningStats bool
	Weight, Bias              torch.Tensor // [C], if Affine
	RunningMean               torch.Tensor `gotorch:"buffer"` // [C], if TrackRunningStats
	RunningVar                torch.Tensor `gotorch:"buffer"`
}

// BatchNorm2d makes a batch normalisation. affine gives it a scale and a
// shift; trackRunningStats makes it average means and variances in training,
// and use them outside of it.
func BatchNorm2d(numFeatures int64, eps, momentum float64, affine, trackRunningStats bool) *BatchNorm2dModule {
	b := &BatchNorm2dModule{
		NumFeatures: numFeatures, Eps: eps, Momentum: momentum,
		Affine: affine, TrackRunningStats: trackRunningStats,
	}
	shape := []int64{numFeatures}
	if affine {
		b.Weight, b.Bias = constant(1, numFeatures), constant(0, numFeatures)
	}
	if trackRunningStats {
		b.RunningMean, b.RunningVar = torch.Zeros(shape, torch.Options{}), torch.Ones(shape, false)
	}
	b.Init(b)
	return b
}

// Forward: x: [B,C,H,W] -> the same.
func (b *BatchNorm2dModule) Forward(x torch.Tensor) torch.Tensor {
	ofBatch := b.IsTraining() || !b.TrackRunningStats
	return torch.RawBatchNorm(x, b.Weight, b.Bias, b.RunningMean, b.RunningVar, ofBatch, b.Momentum, b.Eps)
}
