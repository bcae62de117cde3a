package figures

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"

	"github.com/wangkuiyi/gotorch/atomicfile"
	"github.com/wangkuiyi/gotorch/disk"

	"flowmatch/viz"
)

// WritePNG writes a picture whole, or not at all.
func WritePNG(path string, img image.Image) error {
	return WriteFile(path, func(w io.Writer) error { return png.Encode(w, img) })
}

// WriteFile writes a file whole, or not at all. A pipe in its place is refused. One that
// would not change stays as it is, with its time: it is not newly made.
func WriteFile(path string, write func(io.Writer) error) error {
	var b bytes.Buffer
	err := write(&b)
	if err == nil && disk.Holds(path, b.Bytes()) {
		return nil
	}
	if err == nil {
		err = atomicfile.Replace(path, func(w io.Writer) error {
			_, err := w.Write(b.Bytes())
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("%s was not written: %w", path, err)
	}
	return nil
}

// Losses draws the loss of every step. title says of which training.
func Losses(path, title string, losses []float32) error {
	values := make([]float64, len(losses))
	for i, v := range losses {
		values[i] = float64(v)
	}
	return WritePNG(path, viz.Losses(nil, values, viz.LossesConfig{Title: title}))
}
