package e2e

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A folder's pictures in another size than the default: the checkpoint knows the
// size and the classes, even where the pictures are gone.
func TestFolder(t *testing.T) {
	pictures, dir := filepath.Join(t.TempDir(), "shapes"), t.TempDir()
	for _, class := range []string{"dark", "light"} {
		if err := os.MkdirAll(filepath.Join(pictures, class), 0o777); err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			img := image.NewGray(image.Rect(0, 0, 8, 8))
			for k := range img.Pix {
				img.Pix[k] = color.Gray{Y: uint8(20*i + k + len(class)*10)}.Y
			}
			var b bytes.Buffer
			if err := png.Encode(&b, img); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(pictures, class, fmt.Sprint(i, ".png")), b.Bytes())
		}
	}
	set := "folder:" + pictures
	must(t, program(t, "train", nil, "--dataset", set, "--image-size", "8", "--device", "cpu", "--precision", "fp32", "--num-channels", "32",
		"--num-res-blocks", "1", "--channel-mult", "1,1", "--attention-resolutions", "none", "--batch-size", "4", "--max-steps", "2", "--output-dir", dir))
	sample := []string{"--dataset", set, "--output-dir", dir, "--device", "cpu", "--samples-per-class", "1", "--steps", "1", "--frames", "2"}
	must(t, program(t, "sample", nil, sample...))
	refused(t, program(t, "sample", noLibtorch, append(sample, "--image-size", "16")...), 2, "--image-size 16", "8")
	refused(t, program(t, "sample", noLibtorch, append(sample, "--classes", "2")...), 2, "dark, light")
	if err := os.RemoveAll(pictures); err != nil {
		t.Fatal(err)
	}
	must(t, program(t, "sample", nil, sample...))

	// A signal is noticed between two pictures.
	const each = 1500
	many := command(t, dir, "sample", nil, "--dataset", set, "--output-dir", dir, "--device", "cpu", "--samples-per-class", fmt.Sprint(each),
		"--method", "euler", "--steps", "1", "--no-figures", "--format", "folder", "--quiet")
	if err := many.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- many.Wait() }()
	files := filepath.Join(dir, "cfm/folder-shapes/samples/*.png")
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit); time.Sleep(time.Millisecond) {
		if some, err := filepath.Glob(files); err != nil || len(some) > 0 || len(ended) > 0 {
			break
		}
	}
	if err := many.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-ended
	written, _ := filepath.Glob(files)
	if got := many.ProcessState.ExitCode(); got != 130 || len(written) == 0 || len(written) == 2*each {
		t.Errorf("status %d, %d pictures of %d", got, len(written), 2*each)
	}
}

// Pictures of one's own, of any size, are trained on without a word of how; what was
// chosen is in run.json, and a run keeps it though the pictures change.
func TestOwnPictures(t *testing.T) {
	pictures, dir := filepath.Join(t.TempDir(), "mine"), t.TempDir()
	lay := func(name string, w, h int, ink color.Color) {
		img := image.NewRGBA(image.Rect(0, 0, w, h))
		for y := range h {
			for x := range w / 2 {
				img.Set(x, y, ink)
			}
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(pictures, name), b.Bytes())
	}
	if err := os.MkdirAll(pictures, 0o777); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		lay(fmt.Sprint(i, ".png"), 14+7*i, 40-6*i, color.White)
	}
	args := []string{"--dataset", "folder:" + pictures, "--output-dir", dir, "--device", "cpu"}
	at := filepath.Join(dir, "cfm/folder-mine")
	r := must(t, program(t, "train", nil, append(args, "--dry-run")...))
	if !strings.Contains(r.out, "image-size") || !strings.Contains(r.out, "chosen") {
		t.Errorf("%s", r.out)
	}
	r = must(t, program(t, "train", nil, append(args, "--max-steps", "2")...))
	for _, want := range []string{"a set without classes", "5 pictures: batch 4, 12x12, channels 1,2 of 32, 2,000 steps (chosen)", "data.png shows what was read"} {
		if !strings.Contains(r.errOut, want) {
			t.Errorf("%q is not in %s", want, r.errOut)
		}
	}
	if want := "of each picture the square in the middle is taken, at 12x12, as many as nine in ten of them have; --image-size takes another size"; !strings.Contains(r.errOut, want) {
		t.Errorf("%q is not in %s", want, r.errOut)
	}
	if !strings.Contains(r.out, filepath.Join(at, "data.png")) {
		t.Errorf("%s", r.out)
	}
	if b := read(t, filepath.Join(at, "data.png")); !bytes.HasPrefix(b, []byte("\x89PNG")) {
		t.Error("data.png is no picture")
	}
	run := runOf(t, filepath.Join(at, "run.json"))
	for name, want := range map[string]any{"batch-size": 4.0, "image-size": 12.0, "image-channels": 1.0, "iterations": 2000.0, "num-channels": 32.0, "channel-mult": "1,2"} {
		if run.Values[name] != want || run.From[name] != "chosen" {
			t.Errorf("%s: %v, %s", name, run.Values[name], run.From[name])
		}
	}
	must(t, program(t, "sample", nil, append(args, "--num-samples", "4", "--steps", "1", "--frames", "2")...))
	for i := range 40 { // larger ones, in colours
		lay(fmt.Sprint("new", i, ".png"), 70, 80, color.RGBA{200, 0, 0, 255})
	}
	r = must(t, program(t, "train", nil, append(args, "--resume", "--new-data", "--max-steps", "3")...))
	if want := "45 pictures: batch 4, 12x12, channels 1,2 of 32, 2,000 steps (as the run has it)"; !strings.Contains(r.errOut, want) {
		t.Errorf("%s", r.errOut)
	}
	refused(t, program(t, "train", nil, append(args, "--fresh", "--quiet", "--batch-size", "46")...), 2, "45 images")
	r = must(t, program(t, "train", nil, append(args, "--fresh", "--max-steps", "1", "--num-channels", "64", "--no-figures")...))
	if want := "45 pictures: batch 32, 28x28, channels 1,2,2 of 64, 2,000 steps (chosen, but for --num-channels)"; !strings.Contains(r.errOut, want) {
		t.Errorf("%s", r.errOut)
	}
}
