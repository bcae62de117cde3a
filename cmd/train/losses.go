package main

import (
	"image/png"
	"io"

	"github.com/wangkuiyi/gotorch/atomicfile"

	"flowmatch/viz"
)

func drawLosses(path string, losses []float32) error {
	values := make([]float64, len(losses))
	for i, v := range losses {
		values[i] = float64(v)
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		return png.Encode(w, viz.Losses(nil, values, viz.LossesConfig{}))
	})
}
