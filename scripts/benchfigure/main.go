// Command benchfigure draws what scripts/bench --sweep measured: cost against batch, width, image size,
// samples and threads, a panel each.
//
//	go run ./scripts/benchfigure sweep.json bench.png
package main

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"

	"flowmatch/viz"
)

// sweep is the file that scripts/bench --sweep --json writes.
type sweep struct {
	Processor string  `json:"processor"`
	Kind      string  `json:"kind"`
	Threads   int     `json:"threads"`
	Version   string  `json:"version"`
	Curves    []curve `json:"curves"`
}

// curve is the seconds that something took for each of x.
type curve struct {
	Title   string    `json:"title"`
	Unit    string    `json:"unit"`
	X       []float64 `json:"x"`
	Seconds []float64 `json:"seconds"`
}

// A page has so many columns of panels of so many pixels.
const columns, width, height = 3, 560, 400

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go run ./scripts/benchfigure SWEEP.json OUT.png")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "benchfigure:", err)
		os.Exit(1)
	}
}

func run(in, out string) error {
	data, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	var s sweep
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	if len(s.Curves) == 0 {
		return fmt.Errorf("%s: there are no curves in it; scripts/bench --sweep --json writes them", in)
	}
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	if err := png.Encode(file, page(s)); err != nil {
		file.Close()
		return fmt.Errorf("%s: %w", out, err)
	}
	return file.Close()
}

// page lays the panels out row by row.
func page(s sweep) image.Image {
	rows := (len(s.Curves) + columns - 1) / columns
	img := image.NewRGBA(image.Rect(0, 0, columns*width, rows*height))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	for i, c := range s.Curves {
		ms := make([]float64, len(c.Seconds))
		for k, v := range c.Seconds {
			ms[k] = 1e3 * v
		}
		panel := viz.Curves([]viz.Line{{Label: s.Kind, X: c.X, Y: ms}}, viz.CurvesConfig{
			Title: c.Title, XLabel: c.Unit, YLabel: "milliseconds", LogX: true, LogY: true, Width: width, Height: height,
		})
		at := image.Pt(i%columns*width, i/columns*height)
		draw.Draw(img, panel.Bounds().Add(at), panel, image.Point{}, draw.Src)
	}
	return img
}
