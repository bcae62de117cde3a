package e2e

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shortened are flags that make a README's command take a second, by a part of it: of those
// that fit, the first. A flag that is given twice has the last value.
var shortened = []struct{ part, flags string }{
	{"bin/train --dataset help", ""},
	{"bin/train --dataset digits --resume", "--max-steps 3 --no-figures"},
	{"bin/train", "--max-steps 2 --no-figures"},
	{"bin/sample", "--steps 1 --frames 2"},
	{"bin/compare", "--quality-samples 100 --figure-samples 200 --frames 2 --solvers euler:1"},
	{"--preset mnist-one-step", "--max-steps 2 --no-figures"}, // on the pairs of the line before
	{"bin/reflow --preset", "--max-steps 2 --no-figures --pairs 64 --batch-size 32 --steps 1"},
	{"--distill", "--max-steps 2 --no-figures --batch-size 32"}, // so many pairs there are
	{"bin/reflow --dataset mnist", "--max-steps 2 --no-figures --batch-size 32 --pairs 32 --steps 1"},
	{"bin/reflow", "--max-steps 2 --no-figures --steps 1"},
	{"bin/evaluate --dataset mnist", "--num-samples 10 --solvers euler:1 --measures as_asked --require 'as_asked>=0'"},
	{"bin/evaluate", "--num-samples 64 --measures sw2"},
}

// elsewhere are the lines of commands that this test does not run, and what does.
var elsewhere = map[string]string{
	"scripts/setup && scripts/build": "scripts/test runs them before this",
	"bin/ui --open":                  "it does not end by itself, and wants a browser: ui_test.go opens the page",
	"bin/ui":                         "it does not end by itself: ui_test.go opens it",

	"docker build -f Dockerfile.cuda -t flowmatch .": "scripts/check-container",
	"mkdir -p data outputs":                          "scripts/check-container",
	"flowmatch() {":                                  "scripts/check-container",
	`docker run --rm --gpus all --user "$(id -u):$(id -g)" -v "$PWD/data:/data" -v "$PWD/outputs:/outputs" flowmatch "$@"`: "scripts/check-container",
	"}":                "scripts/check-container",
	"flowmatch doctor": "scripts/check-container",
	"flowmatch train --dataset mnist --download":                          "it needs the network",
	"flowmatch sample --dataset mnist --classes 3 --samples-per-class 16": "the same line with bin/ is run",

	"go mod init moons": "library_test.go",
	"go mod edit -require=flowmatch@v0.0.0 -replace=flowmatch=$FLOWMATCH":              "library_test.go",
	"go mod edit -replace=github.com/wangkuiyi/gotorch=$FLOWMATCH/third_party/gotorch": "library_test.go",
	"go mod tidy && go run .": "library_test.go",
}

// ranHere is the beginning of lines that this test runs.
const ranHere = "bin/"

// Every command of the README works: each block, line by line as it stands there, in one
// folder that has the files it speaks of, so that each finds what those before have made.
func TestReadmeCommands(t *testing.T) {
	readme := string(read(t, filepath.Join(root, "README.md")))
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(root, "bin"), filepath.Join(dir, "bin")); err != nil {
		t.Fatal(err)
	}
	layReadmeFiles(t, dir)
	ran, left := 0, maps.Clone(elsewhere)
	for _, block := range regexp.MustCompile("(?s)\n```(\\w*)\n(.*?)\n```").FindAllStringSubmatch(readme, -1) {
		if !slices.Contains([]string{"sh", "", "python", "go"}, block[1]) {
			t.Errorf("a block of %q, which no test knows", block[1])
		}
		if block[1] != "sh" {
			continue
		}
		for line := range strings.Lines(strings.ReplaceAll(block[2], "\\\n", " ")) {
			line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
			line = strings.TrimSpace(line)
			if line == "" {
				continue
			}
			if _, known := elsewhere[line]; known {
				delete(left, line)
				continue
			}
			if !strings.HasPrefix(line, ranHere) {
				t.Errorf("%q is run by no test: give it a line among those that are run elsewhere, and say where", line)
				continue
			}
			ran++
			for _, s := range shortened {
				if strings.Contains(line, s.part) {
					line += " " + s.flags
					break
				}
			}
			if r := shell(t, dir, line); r.status != 0 || strings.Contains(r.errOut, "unknown flag") {
				t.Errorf("%s\nstatus %d: %s", line, r.status, r.errOut)
			}
		}
	}
	if ran < 20 {
		t.Errorf("only %d commands were found", ran)
	}
	for line := range left {
		t.Errorf("%q is not in the README any more", line)
	}
	for _, name := range []string{"samples.npz", "outputs/cfm/digits/ckpt.pth", "outputs/distill/mnist/ckpt.pth", "outputs/cfm/folder-pictures/ckpt.pth"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	readmePython(t, dir, readme)
}

// readmePython runs the README's lines for PyTorch on the models that its commands have made.
func readmePython(t *testing.T, dir, readme string) {
	t.Helper()
	blocks := regexp.MustCompile("(?s)\n```python\n(.*?)```").FindAllStringSubmatch(readme, -1)
	if len(blocks) != 2 {
		t.Fatalf("the README has lines for PyTorch in %d places, of images and of points are 2", len(blocks))
	}
	for _, block := range blocks {
		needs := "torch"
		if strings.Contains(block[1], "torchcfm") {
			needs = "torch, torchcfm"
		}
		if exec.Command("python3", "-c", "import "+needs).Run() != nil {
			t.Logf("python3 has not all of %s: the README's lines for them were not run", needs)
			continue
		}
		cmd := exec.Command("python3", "-c", block[1])
		cmd.Dir = dir
		if r := finish(t, cmd); r.status != 0 {
			t.Errorf("the README's lines for PyTorch: status %d: %s", r.status, r.errOut)
		}
	}
}

// shell runs a line as a reader would.
func shell(t *testing.T, dir, line string) result {
	t.Helper()
	cmd := exec.Command("bash", "-c", line)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "FLOWMATCH_DEVICE=cpu")
	return finish(t, cmd)
}

// layReadmeFiles makes what the README's commands read: a few images where MNIST's are,
// pictures, and points.
func layReadmeFiles(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"data/mnist", "pictures"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	rng := rand.New(rand.NewSource(1))
	for prefix, n := range map[string]int{"train": 160, "t10k": 40} {
		pixels, labels := make([]byte, n*784), make([]byte, n)
		for i := range labels {
			labels[i] = byte(i % 10)
		}
		rng.Read(pixels)
		gzipped(t, filepath.Join(dir, "data/mnist", prefix+"-images-idx3-ubyte.gz"), idx(0x803, []uint32{uint32(n), 28, 28}, pixels))
		gzipped(t, filepath.Join(dir, "data/mnist", prefix+"-labels-idx1-ubyte.gz"), idx(0x801, []uint32{uint32(n)}, labels))
	}
	for k := range 4 {
		grey := image.NewGray(image.Rect(0, 0, 16, 20))
		for i := range grey.Pix {
			grey.Pix[i] = color.Gray{Y: uint8(i*(k+1) + k)}.Y
		}
		var b bytes.Buffer
		if err := png.Encode(&b, grey); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "pictures", fmt.Sprint(k, ".png")), b.Bytes())
		write(t, filepath.Join(dir, "cat.png"), b.Bytes())
	}
	var points bytes.Buffer
	for range 500 {
		fmt.Fprintf(&points, "%g,%g\n", rng.NormFloat64(), rng.NormFloat64())
	}
	write(t, filepath.Join(dir, "mine.csv"), points.Bytes())
}
