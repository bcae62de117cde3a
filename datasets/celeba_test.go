package datasets

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flowmatch/datasets/picture/picturetest"
)

// face is a drawn one of 178x218 in front of red, which must not be seen above and below:
// light or dark, with a mouth.
func face(shade uint8) []byte {
	return picturetest.JPEG(picturetest.Paint(178, 218, func(x, y int) color.Color {
		switch {
		case y < 18 || y >= 200: // beyond the middle 178 rows, 20 on each side
			return color.NRGBA{255, 0, 0, 255}
		case y > 140 && y < 150 && x > 60 && x < 118:
			return color.NRGBA{0, 0, 0, 255}
		}
		return color.NRGBA{shade, shade, shade, 255}
	}))
}

// faces is a small set in CelebA's layout: six pictures, of which 1 to 3 are for
// training, 4 for validation and 5 and 6 for tests; odd ones smile.
func faces(t *testing.T) (pictures, lists map[string][]byte) {
	t.Helper()
	pictures = map[string][]byte{}
	attributes, partition := "6\n5_o_Clock_Shadow Smiling Young \n", ""
	for i := 1; i <= 6; i++ {
		name := fmt.Sprintf("%06d.jpg", i)
		pictures[name] = face(uint8(40 * i))
		attributes += fmt.Sprintf("%s -1 %2d  1\n", name, 2*(i%2)-1)
		partition += fmt.Sprintf("%s %d\n", name, []int{0, 0, 0, 1, 2, 2}[i-1])
	}
	return pictures, map[string][]byte{"celeba/list_attr_celeba.txt": []byte(attributes), "celeba/list_eval_partition.txt": []byte(partition)}
}

func zipOf(t *testing.T, prefix string, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w, err := z.Create(prefix + name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(files[name])
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestCelebA(t *testing.T) {
	pictures, lists := faces(t)
	packed, folder, twice := maps.Clone(lists), maps.Clone(lists), maps.Clone(lists)
	packed["celeba/img_align_celeba.zip"] = zipOf(t, "img_align_celeba/", pictures)
	for name, file := range pictures {
		folder["celeba/img_align_celeba/"+name] = file
		twice["celeba/img_align_celeba/img_align_celeba/"+name] = file
	}
	data := ""
	for name, files := range map[string]map[string][]byte{"archive": packed, "folder": folder, "unpacked twice": twice} {
		dir := filepath.Join(t.TempDir(), "data[1]") // no pattern, though it looks like one
		if err := os.Rename(layFiles(t, files), dir); err != nil {
			t.Fatal(err)
		}
		im, err := Open("celeba", Options{DataDir: dir})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if im.Len() != 3 || !slices.Equal(im.Shape, []int{3, 64, 64}) || im.Labels != nil || im.Classes() != 0 || im.Undivided || im.check() != "" {
			t.Errorf("%s: %d images of %v, labels %v", name, im.Len(), im.Shape, im.Labels)
		}
		if data == "" {
			data = im.Data
		}
		if im.Data != data {
			t.Errorf("%s: other data than before", name)
		}
		// The first face is dark, its rim too: the red is cut off.
		for _, at := range []int{32*64 + 5, 3*64 + 5, 60*64 + 5} {
			if r, b := im.Pixels[at], im.Pixels[2*4096+at]; r < 35 || r > 45 || b < 35 || b > 45 {
				t.Errorf("%s: pixel %d is %d and %d, want 40", name, at, r, b)
			}
		}
		if mouth := im.Pixels[45*64+32]; mouth > 12 { // row 145, less 20, of 178
			t.Errorf("%s: the mouth is %d", name, mouth)
		}
		smiling, err := Open("celeba", Options{DataDir: dir, Attribute: "Smiling"})
		if err != nil || !slices.Equal(smiling.Labels, []uint8{1, 0, 1}) || !slices.Equal(smiling.ClassNames, []string{"not Smiling", "Smiling"}) {
			t.Errorf("%s, Smiling: %v", name, err)
		}
		test, err := Open("celeba", Options{DataDir: dir, Attribute: "Smiling", Split: Test})
		if err != nil || !slices.Equal(test.Labels, []uint8{1, 0}) {
			t.Errorf("%s, test: %v", name, err)
		}
	}
	if info, err := LookupWith("celeba", Options{Attribute: "Young"}); err != nil || info.Classes() != 2 {
		t.Errorf("%+v, error %v", info, err)
	}
}

func TestCelebAFaults(t *testing.T) {
	pictures, lists := faces(t)
	archive := zipOf(t, "img_align_celeba/", pictures)
	with := func(changes ...string) string {
		files := maps.Clone(lists)
		files["celeba/img_align_celeba.zip"] = archive
		for i := 0; i < len(changes); i += 2 {
			files["celeba/"+changes[i]] = []byte(changes[i+1])
		}
		return layFiles(t, files)
	}
	evil := zipOf(t, "img_align_celeba/../", pictures)
	for says, dir := range map[string]string{
		"list_eval_partition.txt: not found; put list_attr_celeba.txt and list_eval_partition.txt": layFiles(t, map[string][]byte{"celeba/x": nil}),
		"img_align_celeba.zip: not found; put it there, or the folder":                             layFiles(t, lists),
		"img_align_celeba.zip: zip: not a valid zip file":                                          with("img_align_celeba.zip", "rubbish"),
		"3 of 3 pictures cannot be used: 000001.jpg (not in the archive)":                          with("img_align_celeba.zip", string(evil)),
		"line 1 is not a picture and 0, 1 or 2":                                                    with("list_eval_partition.txt", "../x.jpg 0\n"),
		"it has no pictures of the train part":                                                     with("list_eval_partition.txt", "000001.jpg 2\n"),
		"line 3 is not a picture and 3 numbers":                                                    with("list_attr_celeba.txt", "6\na Smiling b\n000001.jpg 1 2 1\n"),
		"it has no line for 000001.jpg":                                                            with("list_attr_celeba.txt", "6\na Smiling b\n000002.jpg 1 1 1\n"),
		`it has no attribute "Smiling": did you mean smilling?`:                                    with("list_attr_celeba.txt", "6\na smilling b\n"),
	} {
		_, err := Open("celeba", Options{DataDir: dir, Attribute: "Smiling"})
		var fault *FileError
		if !errors.As(err, &fault) || fault.Remedy == "" || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v\nwant %s", err, says)
		}
	}
	if _, err := Open("celeba", Options{DataDir: t.TempDir()}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}
