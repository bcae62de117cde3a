package e2e

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
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
