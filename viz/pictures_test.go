package viz

import (
	"image/color"
	"math"
	"reflect"
	"testing"
)

func TestLevel(t *testing.T) {
	for _, c := range []struct {
		v    float32
		want uint8
	}{
		{-1, 0}, {1, 255}, {0, 128}, {-7, 0}, {7, 255}, {0.9999, 255}, {-0.9999, 0},
		{2*100.0/255 - 1, 100}, {2*1.0/255 - 1, 1}, {2*254.0/255 - 1, 254}, // k back to k
		{float32(math.NaN()), 0}, {float32(math.Inf(1)), 255}, {float32(math.Inf(-1)), 0},
	} {
		if got := level(c.v); got != c.want {
			t.Errorf("level(%v) = %d, want %d", c.v, got, c.want)
		}
	}
}

func TestByClass(t *testing.T) {
	got := ByClass([]int64{7, 2, 7, 7, 2, 11}, []string{"0", "1", "two", "3", "4", "5", "6", "seven"}, 2)
	want := Layout{Columns: [][]int{{1, 4}, {0, 2}, {5}}, Labels: []string{"two", "seven", "11"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := ByClass([]int64{0, 0, 0}, nil, 0); len(got.Columns[0]) != 3 || got.Labels[0] != "0" {
		t.Errorf("without a limit: %v", got)
	}
}

func TestSquare(t *testing.T) {
	if got, want := Square(5).Columns, [][]int{{0, 3}, {1, 4}, {2}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if columns, rows := Square(1000).size(); columns != 10 || rows != 10 {
		t.Errorf("%d columns, %d rows", columns, rows)
	}
}

func TestFrameDelay(t *testing.T) {
	for _, c := range []struct {
		fps    float64
		delay  int
		actual float64
	}{
		{20, 5, 20}, {30, 3, 100.0 / 3}, {25, 4, 25}, {24, 4, 25}, {50, 2, 50}, {60, 2, 50}, {1000, 2, 50},
		{1, 100, 1}, {1e-9, 65535, 100.0 / 65535}, {0, 5, 20}, {-3, 5, 20}, {math.NaN(), 5, 20}, {math.Inf(1), 2, 50},
	} {
		delay, actual := FrameDelay(c.fps)
		if delay != c.delay || actual != c.actual {
			t.Errorf("FrameDelay(%v) = %d, %v; want %d, %v", c.fps, delay, actual, c.delay, c.actual)
		}
	}
}

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
