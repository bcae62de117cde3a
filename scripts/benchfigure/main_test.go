package main

import (
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

func TestPageOfEveryCurve(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "sweep.json"), filepath.Join(dir, "bench.png")
	one := `{"title": "2D step by batch", "unit": "points", "x": [64, 256], "seconds": [0.002, 0.004]}`
	if err := os.WriteFile(in, []byte(`{"processor": "P", "curves": [`+one+","+one+","+one+","+one+`]}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := run(in, out); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	got, err := png.DecodeConfig(file)
	if err != nil || got.Width != columns*width || got.Height != 2*height {
		t.Errorf("four curves are a page of %dx%d, error %v; want %dx%d", got.Width, got.Height, err, columns*width, 2*height)
	}
}

func TestFilesWithoutCurvesAreRefused(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "bench.json")
	if err := os.WriteFile(in, []byte(`{"results": []}`), 0o666); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out.png")
	if err := run(in, out); err == nil {
		t.Error("a file without curves was drawn")
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a file without curves left a picture")
	}
}
