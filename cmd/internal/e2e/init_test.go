package e2e

import (
	"path/filepath"
	"strings"
	"testing"
)

// --init-from takes a network and its weights to another set; classes of the same name
// keep what was learnt of them.
func TestInitFrom(t *testing.T) {
	dir, pictures := t.TempDir(), filepath.Join(t.TempDir(), "few")
	must(t, program(t, "train", nil, tiny(dir, "--max-steps", "2", "--no-figures")...))
	from := filepath.Join(dir, "cfm/digits/ckpt.pth")
	layPictures(t, pictures, map[string]int{"3/0.png": 10, "3/1.png": 60, "cat/0.png": 110, "cat/1.png": 160})
	run := func(more ...string) result {
		return program(t, "train", nil, append([]string{"--dataset", "folder:" + pictures, "--image-size", "8", "--image-channels", "1", "--device", "cpu", "--precision", "fp32",
			"--batch-size", "4", "--iterations", "4", "--no-figures", "--output-dir", dir, "--init-from", from}, more...)...)
	}
	refused(t, run("--quiet", "--num-channels", "64"), 2, "--num-channels 64", "ckpt.pth has 32")
	refused(t, run("--quiet", "--network", "dit"), 2, "--network dit", "is unet")
	refused(t, run("--quiet", "--image-channels", "3"), 2,
		"a network for grey pictures of 8x8 (1 channel) (digits), and ", "has pictures in colour of 8x8 (3 channels): take them so with --image-channels 1")
	refused(t, run("--quiet", "--image-size", "16"), 2, "has grey pictures of 16x16 (1 channel): take them so with --image-size 8")
	refused(t, program(t, "train", nil, points(dir, "--init-from", from, "--quiet")...), 2, "grey pictures of 8x8", "moons has points of the plane: begin with weights of such a model")
	refused(t, run("--quiet", "--resume-from", "x.pth"), 2, "--init-from and --resume-from")
	r := must(t, run("--max-steps", "2"))
	if !strings.Contains(r.errOut, "(digits, step 2); it knows 1 of the 2 classes, the others start fresh") {
		t.Errorf("%s", r.errOut)
	}
	if r := must(t, run("--resume")); strings.Contains(r.errOut, "begins with") {
		t.Errorf("a run that goes on does not begin: %s", r.errOut)
	}
	other := filepath.Join(dir, "cfm/folder-few/ckpt.pth")
	refused(t, run("--quiet", "--resume", "--init-from", other), 2, "it began with other weights than those of --init-from")
	must(t, run("--fresh", "--unconditional", "--max-steps", "1"))

	// Grey pictures lose nothing where the weights are of colours, and follow them.
	grey := []string{"--dataset", "folder:" + pictures, "--device", "cpu", "--precision", "fp32", "--batch-size", "4", "--no-figures", "--max-steps", "1"}
	colours := t.TempDir()
	must(t, program(t, "train", nil, append(grey, "--output-dir", colours, "--image-channels", "3", "--image-size", "8")...))
	r = must(t, program(t, "train", nil, append(grey, "--output-dir", t.TempDir(), "--init-from", filepath.Join(colours, "cfm/folder-few/ckpt.pth"))...))
	if !strings.Contains(r.errOut, "4 images of 3x8x8") || !strings.Contains(r.errOut, "at 8x8, as the weights have it") {
		t.Errorf("%s", r.errOut)
	}
}
