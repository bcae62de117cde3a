package viz

import (
	"image/color"
	"testing"
)

func TestPicture(t *testing.T) {
	grey := Pictures{X: []float32{0, 0, 0, 0, -1, 1, 0, 5}, Shape: [3]int{1, 2, 2}}
	img, err := Picture(grey, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []uint8{0, 255, 128, 255} {
		if got := color.GrayModel.Convert(img.At(i%2, i/2)).(color.Gray).Y; got != want {
			t.Errorf("pixel %d is %d, want %d", i, got, want)
		}
	}
	red, err := Picture(Pictures{X: []float32{1, -1, 0}, Shape: [3]int{3, 1, 1}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := red.At(0, 0); got != (color.RGBA{255, 0, 128, 255}) {
		t.Errorf("colour %v", got)
	}
	if _, err := Picture(grey, 2); err == nil {
		t.Error("there is no third picture")
	}
}
