package datasets

import (
	"context"
	"errors"
	"image/color"
	"slices"
	"strings"
	"testing"

	"flowmatch/datasets/picture/picturetest"
)

func TestFolderSplit(t *testing.T) {
	pictures := map[string][]byte{
		"Train/10/1.png": shade(10), "Train/9/1.png": shade(20), "Train/9/2.png": shade(30),
		"test/9/1.png": shade(40), "test/10/1.png": shade(50), "test/8/1.png": shade(60),
		"val/9/1.png": shade(70), "notes.txt": nil,
	}
	dir := layFiles(t, pictures)
	name := "folder:" + dir
	fit, test, err := OpenParts(context.Background(), name, Options{ImageSize: 4})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(fit.ClassNames, []string{"9", "10"}) || !slices.Equal(shades(fit), []uint8{20, 30, 10}) || !slices.Equal(fit.Labels, []uint8{0, 0, 1}) || fit.Undivided {
		t.Errorf("trained on %v of %q as %v", shades(fit), fit.ClassNames, fit.Labels)
	}
	if !slices.Equal(shades(test), []uint8{40, 50}) || !slices.Equal(test.Labels, []uint8{0, 1}) || test.Undivided {
		t.Errorf("tested on %v as %v", shades(test), test.Labels)
	}
	notes := strings.Join(append(fit.Warnings, test.Warnings...), "\n")
	for _, want := range []string{"Train and test are a split: the first is trained on, the second is for tests, and val is not used", "test has classes that Train has not, and they are passed over: 8"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes %q, want %q", notes, want)
		}
	}
	var list strings.Builder
	_, _ = fit.Files.WriteTo(&list) // a builder takes all
	if first, _, _ := strings.Cut(list.String(), "\n"); !strings.HasSuffix(first, "  Train/10/1.png") {
		t.Errorf("files %v", list.String())
	}

	// Only for validation; a class has no pictures there.
	dir = layFiles(t, map[string][]byte{"train/a/1.png": shade(1), "train/b/1.png": shade(2), "valid/b/1.png": shade(3)})
	_, test, err = OpenParts(context.Background(), "folder:"+dir, Options{ImageSize: 4})
	if err != nil || !slices.Equal(shades(test), []uint8{3}) || !slices.Equal(test.Labels, []uint8{1}) {
		t.Errorf("%v, error %v", test, err)
	}
	// No part for tests: every fifth of the training part.
	files := map[string][]byte{}
	for i := range 10 {
		files["train/a/"+string(rune('0'+i))+".png"] = shade(uint8(i))
	}
	_, test, err = OpenParts(context.Background(), "folder:"+layFiles(t, files), Options{ImageSize: 4})
	if err != nil || !slices.Equal(shades(test), []uint8{4, 9}) {
		t.Errorf("%v, error %v", test, err)
	}
	// An empty one is a fault.
	_, err = Open("folder:"+layFiles(t, map[string][]byte{"train/a/1.png": shade(1), "test/b/1.png": shade(2)}), Options{ImageSize: 4, Split: Test})
	var fault *FileError
	if !errors.As(err, &fault) || !strings.Contains(err.Error(), "test: no pictures of the classes of train") {
		t.Errorf("error %v", err)
	}
}

// TestFolderNoSplit: folders that are called like parts and are none.
func TestFolderNoSplit(t *testing.T) {
	for want, files := range map[string]map[string][]byte{
		"test train":       {"train/1.png": shade(1), "test/1.png": shade(2)},
		"plane test train": {"train/a/1.png": shade(1), "test/a/1.png": shade(2), "plane/1.png": shade(3)},
		"test val":         {"val/a/1.png": shade(1), "test/a/1.png": shade(2)},
	} {
		im, err := openTestFolder(layFiles(t, files), 4)
		if err != nil || strings.Join(im.ClassNames, " ") != want || !im.Undivided {
			t.Errorf("%s: %v, error %v", want, im, err)
		}
	}
}

func TestFolderChannels(t *testing.T) {
	red := picturetest.PNG(picturetest.Paint(6, 6, func(_, _ int) color.Color { return color.NRGBA{255, 0, 0, 255} }))
	grey := map[string][]byte{"a/1.png": shade(77), "a/2.jpg": picturetest.JPEG(picturetest.Paint(6, 6, func(_, _ int) color.Color { return color.Gray{90} })), "b/1.png": shade(200)}
	mixed := map[string][]byte{"a/1.png": shade(77), "b/1.png": red}
	for name, c := range map[string]struct {
		files    map[string][]byte
		channels int
		want     []uint8 // the first values of all planes
		notes    int
	}{
		"grey":         {grey, 0, []uint8{77, 90, 200}, 1},
		"grey as 3":    {grey, 3, []uint8{77, 77, 77, 90, 90, 90, 200, 200, 200}, 0},
		"colours":      {mixed, 0, []uint8{77, 77, 77, 255, 0, 0}, 0},
		"colours as 1": {mixed, 1, []uint8{77, 76}, 0}, // .299 * 255
	} {
		im, err := Open("folder:"+layFiles(t, c.files), Options{ImageSize: 4, Channels: c.channels})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []uint8
		for i := 0; i < len(im.Pixels); i += 16 {
			got = append(got, im.Pixels[i])
		}
		if !slices.Equal(got, c.want) || im.Len() != len(c.files) || len(im.Warnings) != c.notes || im.check() != "" {
			t.Errorf("%s: shape %v, values %v, want %v; notes %q", name, im.Shape, got, c.want, im.Warnings)
		}
	}
	if info, err := LookupWith("folder:"+layFiles(t, grey), Options{ImageSize: 4, Channels: 1}); err != nil || info.Shape[0] != 1 {
		t.Errorf("%+v, error %v", info, err)
	}
	if _, err := LookupWith("folder:"+layFiles(t, grey), Options{Channels: 2}); err == nil {
		t.Error("2 channels were taken")
	}
}
