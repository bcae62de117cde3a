package datasets

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"flowmatch/datasets/picture/picturetest"
)

// shade is a small grey PNG by which a picture is known again.
func shade(v uint8) []byte {
	return picturetest.PNG(picturetest.Paint(6, 5, func(_, _ int) color.Color { return color.NRGBA{v, v, v, 255} }))
}

// shades are the first values of a set's pictures.
func shades(im *Images) []uint8 {
	var out []uint8
	for i := range im.Len() {
		out = append(out, im.Pixels[i*im.Dim()])
	}
	return out
}

func openTestFolder(dir string, size int) (*Images, error) {
	return Open("folder:"+dir, Options{ImageSize: size, Channels: 3})
}

func TestFolder(t *testing.T) {
	dir := layFiles(t, map[string][]byte{
		"dog/b.PNG":        shade(20),
		"dog/a.jpeg":       picturetest.JPEG(picturetest.Paint(9, 9, func(_, _ int) color.Color { return color.Gray{60} })),
		"Cat/z.jpg":        shade(10), // a PNG in truth
		"dog/more/in.png":  shade(30),
		"dog/.hidden.png":  shade(99),
		"dog/.git/x.png":   shade(99),
		".cache/x.png":     shade(99),
		"dog/notes.txt":    []byte("mine"),
		"dog/old.avif":     []byte("RIFF"),
		"readme.md":        []byte("about"),
		"loose.png":        shade(99),
		"ele phant/ü.jpg":  shade(40),
		"ele phant/üü.jpg": shade(50),
		"ele phant/e.avif": []byte("RIFF"),
	})
	name := "folder:" + dir
	info, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	classes := []string{"Cat", "dog", "ele phant"} // by bytes: capitals first
	if info.Name != name || info.Shape != nil || info.Levels != 256 || !slices.Equal(info.ClassNames, classes) {
		t.Errorf("%+v", info)
	}
	if info, err := LookupWith(name, Options{ImageSize: 32}); err != nil || !slices.Equal(info.Shape, []int{3, 32, 32}) {
		t.Errorf("%+v, error %v", info, err)
	}
	var progress []int
	im, err := Open(name, Options{ImageSize: 8, Channels: 3, Progress: func(done, total int) { progress = append(progress, done, total) }})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(im.Labels, []uint8{0, 1, 1, 1, 2, 2}) || !slices.Equal(im.ClassNames, classes) || !slices.Equal(im.Shape, []int{3, 8, 8}) {
		t.Errorf("labels %v, classes %q, shape %v", im.Labels, im.ClassNames, im.Shape)
	}
	if got := shades(im); !slices.Equal(got, []uint8{10, 60, 20, 30, 40, 50}) {
		t.Errorf("pictures %v", got)
	}
	if n := len(progress); n < 2 || progress[n-1] != 6 || progress[n-2] != 6 {
		t.Errorf("progress %v", progress)
	}
	warnings := strings.Join(im.Warnings, "\n")
	for _, want := range []string{"1 picture beside the classes' folders", "2 .avif files: passed over"} {
		if !strings.Contains(warnings, want) {
			t.Errorf("warnings %q, want %q", warnings, want)
		}
	}
	test, err := Open(name, Options{ImageSize: 8, Channels: 3, Split: Test})
	if err != nil || !slices.Equal(shades(test), []uint8{40}) || len(test.Warnings) != 3 {
		t.Errorf("test split %v, error %v", test, err)
	}
}

// TestFolderLeftBehind: what systems leave among people's files is no class, nor a picture; and
// a file that is named for a folder is told apart.
func TestFolderLeftBehind(t *testing.T) {
	dir := layFiles(t, map[string][]byte{
		"pets/cat/1.png": shade(1), "pets/cat/Thumbs.db": []byte("\xd0\xcf"), "pets/cat/.DS_Store": nil, "pets/cat/._1.png": []byte("Mac OS X"), "pets/cat/desktop.ini": nil,
		"pets/dog/2.webp.png": shade(2), "pets/dog/__MACOSX/._2.png": nil, "pets/dog/@eaDir/2.png/THUMB.jpg": shade(9),
		"pets/__MACOSX/cat/._1.png": []byte("Mac OS X"), "pets/$RECYCLE.BIN/x.png": shade(9),
		"pets.zip": []byte("PK"), "pet.png": shade(1),
	})
	im, err := openTestFolder(filepath.Join(dir, "pets"), 4)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(im.ClassNames, []string{"cat", "dog"}) || !slices.Equal(shades(im), []uint8{1, 2}) || len(im.Warnings) != 0 {
		t.Errorf("classes %q, pictures %v, warnings %q", im.ClassNames, shades(im), im.Warnings)
	}
	for name, want := range map[string]string{
		"pets.zip": "pets.zip: not a folder; unpack it, and name the folder",
		"pet.png":  "pet.png: not a folder; name the folder that it lies in; one picture as a density of points is the set image:" + dir,
	} {
		if _, err := openTestFolder(filepath.Join(dir, name), 4); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	// A folder too high: all is one class.
	im, err = openTestFolder(dir, 4)
	want := "all is one class, pets; if the folders in it are the classes (cat, dog), the set is folder:" + filepath.Join(dir, "pets")
	if err != nil || !slices.Equal(im.ClassNames, []string{"pets"}) || !strings.Contains(strings.Join(im.Warnings, "\n"), want) {
		t.Errorf("classes %q, warnings %q, error %v", im.ClassNames, im.Warnings, err)
	}
}

func TestFolderLinks(t *testing.T) {
	dir := layFiles(t, map[string][]byte{"set/a/1.png": shade(1), "set/b/2.png": shade(2), "set/b/deep/3.png": shade(3), "far/4.png": shade(4)})
	set := filepath.Join(dir, "set")
	for link, to := range map[string]string{
		"c":            "../far",    // a class that lives elsewhere
		"a/self":       ".",         // loops
		"a/up":         "..",        //
		"b/deep/loop":  "../../b",   //
		"loop":         ".",         //
		"above":        "../..",     //
		"a/other":      "../b",      // a class in a class
		"aa":           "b",         // the same class again: the true folder's name wins
		"nowhere":      "../absent", //
		"a/gone.png":   "../absent.png",
		"b/4-link.png": "../../far/4.png", // a picture twice is the user's wish
	} {
		if err := os.Symlink(to, filepath.Join(set, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(set, "a", "pipe.png"), 0o644); err != nil {
		t.Fatal(err)
	}
	im, err := openTestFolder(set, 4)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(im.ClassNames, []string{"a", "b", "c"}) || !slices.Equal(im.Labels, []uint8{0, 1, 1, 1, 2}) || !slices.Equal(shades(im), []uint8{1, 2, 4, 3, 4}) {
		t.Errorf("classes %q, labels %v, pictures %v", im.ClassNames, im.Labels, shades(im))
	}
	if len(im.Warnings) != 3 { // above, aa, loop
		t.Errorf("warnings %q", im.Warnings)
	}
}

func TestFolderFaults(t *testing.T) {
	many := map[string][]byte{}
	for i := range 257 {
		many[fmt.Sprintf("set/%03d/x.png", i)] = nil
	}
	for name, c := range map[string]struct {
		files map[string][]byte
		says  string
	}{
		"not there":    {map[string][]byte{"x": nil}, "set: not found; check the path"},
		"a zip in it":  {map[string][]byte{"set/x.zip": nil, "set/y.ZIP": nil}, "set: 2 .zip files, and no pictures; unpack what"},
		"only macOS's": {map[string][]byte{"set/__MACOSX/a/._x.png": nil, "set/.DS_Store": nil}, "set: no pictures in it"},
		"a file":       {map[string][]byte{"set": nil}, "set: not a folder; it must have pictures in it (PNG, JPEG,"},
		"no classes":   {map[string][]byte{"set/x.txt": nil}, "set: no pictures in it; it must have"},
		"other kinds":  {map[string][]byte{"set/x.avif": nil, "set/y.AVIF": nil, "set/z.heic": nil, "set/.w.gif": nil}, "set: 2 .avif, 1 .heic files, which are not read, and no other pictures; save them as PNG"},
		"in a class":   {map[string][]byte{"set/a/x.png": shade(1), "set/b/x.avif": nil}, "set/b: no pictures in it that are read, but 1 .avif file; save them as PNG"},
		"empty class":  {map[string][]byte{"set/a/x.png": shade(1), "set/b/x.txt": nil}, "set/b: no pictures in it"},
		"many classes": {many, "257 sub-folders; at most 256"},
		"all bad":      {map[string][]byte{"set/a/x.png": nil, "set/a/y.png": []byte("text")}, "2 of 2 pictures cannot be used: a/x.png (0 bytes: empty), a/y.png (not a picture: PNG,"},
	} {
		_, err := openTestFolder(filepath.Join(layFiles(t, c.files), "set"), 4)
		var fault *FileError
		if !errors.As(err, &fault) || fault.Remedy == "" || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := Lookup("folder:/no/such/folder"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	for _, size := range []int{-1, 5000} {
		if _, err := LookupWith("folder:.", Options{ImageSize: size}); err == nil || !strings.Contains(err.Error(), "image size") {
			t.Errorf("size %d: error %v", size, err)
		}
	}
	if os.Getuid() != 0 { // whom nothing is forbidden
		dir := layFiles(t, map[string][]byte{"a/x.png": shade(1)})
		if err := os.Chmod(filepath.Join(dir, "a"), 0); err != nil {
			t.Fatal(err)
		}
		if _, err := openTestFolder(dir, 4); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("error %v", err)
		}
	}
}

// TestFolderBad has 30 pictures of which some are bad: up to one in ten are passed
// over and named.
func TestFolderBad(t *testing.T) {
	for bad := range 5 {
		files := map[string][]byte{}
		var want, labels []uint8
		for i := range 30 {
			files[fmt.Sprintf("%d/%02d.png", i/15, i)] = shade(uint8(i))
			if i%7 == 2 && i/7 < bad {
				files[fmt.Sprintf("%d/%02d.png", i/15, i)] = shade(1)[:40]
				continue
			}
			want, labels = append(want, uint8(i)), append(labels, uint8(i/15))
		}
		im, err := openTestFolder(layFiles(t, files), 4)
		if bad > 3 {
			if err == nil || !strings.Contains(err.Error(), "4 of 30 pictures cannot be used: 0/02.png (unexpected EOF)") {
				t.Errorf("%d bad: error %v", bad, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%d bad: %v", bad, err)
			continue
		}
		if !slices.Equal(shades(im), want) || !slices.Equal(im.Labels, labels) || im.check() != "" {
			t.Errorf("%d bad: pictures %v, want %v; labels %v", bad, shades(im), want, im.Labels)
		}
		if len(im.Warnings) != min(bad, 1) || bad > 0 && !strings.Contains(im.Warnings[0], fmt.Sprintf("%d of 30 pictures cannot be used: 0/02.png (unexpected EOF)", bad)) {
			t.Errorf("%d bad: warnings %q", bad, im.Warnings)
		}
	}
	// Few enough in all, but a class is left with none; and no more than five names.
	files := map[string][]byte{"b/x.png": nil}
	for i := range 20 {
		files[fmt.Sprintf("a/%02d.png", i)] = shade(1)
	}
	if _, err := openTestFolder(layFiles(t, files), 4); err == nil || !strings.Contains(err.Error(), "b: none of its pictures can be used") {
		t.Errorf("error %v", err)
	}
	for i := range 20 {
		files[fmt.Sprintf("a/%02d.png", i)] = nil
	}
	if _, err := openTestFolder(layFiles(t, files), 4); err == nil || !strings.Contains(err.Error(), "a/04.png (0 bytes: empty), and 16 more") {
		t.Errorf("error %v", err)
	}
}

func TestFolderMemory(t *testing.T) {
	dir := layFiles(t, map[string][]byte{"a/1.png": shade(1), "a/2.png": shade(2)})
	info, err := LookupWith("folder:"+dir, Options{ImageSize: 1000})
	if err != nil {
		t.Fatal(err)
	}
	_, err = readFolder(info, Options{ImageSize: 1000}, 5e6)
	want := "2 pictures at 1000x1000 take 6 MB of memory, and 5 MB are free; choose a smaller Options.ImageSize"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v", err)
	}
	if _, err := readFolder(info, Options{ImageSize: 1000}, 7e6); err != nil {
		t.Error(err)
	}
}

func TestFolderStops(t *testing.T) {
	files := map[string][]byte{}
	for i := range 50 {
		files[fmt.Sprintf("a/%02d.png", i)] = shade(1)
	}
	dir := layFiles(t, files)
	wish := errors.New("the user's wish")
	ctx, cancel := context.WithCancelCause(context.Background())
	seen := 0
	_, err := OpenContext(ctx, "folder:"+dir, Options{ImageSize: 64, Progress: func(done, _ int) {
		seen = done
		cancel(wish)
	}})
	if !errors.Is(err, wish) || seen == 50 {
		t.Errorf("error %v after %d", err, seen)
	}
	if _, err := OpenContext(ctx, "folder:"+dir, Options{}); !errors.Is(err, wish) {
		t.Errorf("error %v", err)
	}
	_, err = Open("folder:"+dir, Options{ImageSize: 4, Progress: func(int, int) { panic("no") }})
	var p *PanicError
	if !errors.As(err, &p) || p.Value != "no" {
		t.Errorf("error %v", err)
	}
}

// BenchmarkFolder reads photographs of 640x480.
func BenchmarkFolder(b *testing.B) {
	photo := picturetest.JPEG(picturetest.Paint(640, 480, func(x, y int) color.Color { return color.NRGBA{uint8(x), uint8(y), uint8(x * y >> 6), 255} }))
	dir := b.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "a"), 0o755); err != nil {
		b.Fatal(err)
	}
	for i := range 100 {
		if err := os.WriteFile(filepath.Join(dir, "a", fmt.Sprintf("%d.jpg", i)), photo, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if _, err := openTestFolder(dir, 64); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "pictures/s")
}
