package nn

import torch "github.com/wangkuiyi/gotorch"

// PoolOptions configure MaxPool2D and AvgPool2D.
type PoolOptions struct {
	Stride  int64 // 0: the kernel's size
	Padding int64 // 0
}

func (o PoolOptions) lists(kernel int64) (k, s, p []int64) {
	if o.Stride == 0 {
		o.Stride = kernel
	}
	return []int64{kernel, kernel}, []int64{o.Stride, o.Stride}, []int64{o.Padding, o.Padding}
}

// MaxPool2D takes the greatest element of each window. x: [B,C,H,W].
func MaxPool2D(kernel int64, o PoolOptions) *FunctionalModule {
	k, s, p := o.lists(kernel)
	return Functional(func(x torch.Tensor) torch.Tensor {
		return torch.RawMaxPool2d(x, k, s, p, []int64{1, 1}, false)
	})
}

// AvgPool2D takes the mean of each window; padding counts. x: [B,C,H,W].
func AvgPool2D(kernel int64, o PoolOptions) *FunctionalModule {
	k, s, p := o.lists(kernel)
	return Functional(func(x torch.Tensor) torch.Tensor { return torch.RawAvgPool2d(x, k, s, p) })
}

// Interpolation says what Upsample puts between the elements.
type Interpolation int

const (
	Nearest  Interpolation = iota // the nearest element
	Bilinear                      // the mean of the four around, weighted
)

// Upsample enlarges height and width: [B,C,H,W] -> [B,C,scale H,scale W].
func Upsample(scale int64, mode Interpolation) *FunctionalModule {
	return Functional(func(x torch.Tensor) torch.Tensor {
		s := x.Shape()
		size := []int64{s[2] * scale, s[3] * scale}
		if mode == Bilinear {
			return torch.RawUpsampleBilinear2d(x, size, false)
		}
		return torch.RawUpsampleNearest2d(x, size)
	})
}
