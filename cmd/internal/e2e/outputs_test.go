package e2e

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"flowmatch/datasets/npz"
)

// moonsModel trains a model of points for a moment and gives its checkpoint, in a
// folder of the test's own.
func moonsModel(t *testing.T, more ...string) string {
	t.Helper()
	dir := t.TempDir()
	must(t, program(t, "train", nil, append([]string{"--dataset", "moons", "--device", "cpu", "--hidden-dim", "16", "--batch-size", "16",
		"--iterations", "6", "--no-figures", "--quiet", "--output-dir", dir}, more...)...))
	return filepath.Join(dir, "cfm/moons/ckpt.pth")
}

// Samples go where the user says: through links and into pipes, which stay what they
// are, and into the standard output with nothing else.
func TestNPZWhereTheUserSays(t *testing.T) {
	ckpt, dir := moonsModel(t), t.TempDir()
	draw := func(npz string) []string {
		return []string{"--checkpoint", ckpt, "--device", "cpu", "--num-samples", "50", "--no-figures", "--quiet", "--npz", npz}
	}
	plain, link, pipe := filepath.Join(dir, "plain.npz"), filepath.Join(dir, "link.npz"), filepath.Join(dir, "pipe")
	must(t, program(t, "sample", nil, draw(plain)...))
	want := read(t, plain)

	if err := os.Symlink("target.npz", link); err != nil {
		t.Fatal(err)
	}
	must(t, program(t, "sample", nil, draw(link)...))
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Error("the link was replaced")
	}
	if !bytes.Equal(want, read(t, filepath.Join(dir, "target.npz"))) {
		t.Error("the link's target has other samples")
	}

	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Fatal(err)
	}
	got := make(chan []byte)
	go func() {
		b, _ := os.ReadFile(pipe)
		got <- b
	}()
	must(t, program(t, "sample", nil, draw(pipe)...))
	if !bytes.Equal(want, <-got) {
		t.Error("other samples came through the pipe")
	}
	if info, err := os.Lstat(pipe); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		t.Error("the pipe was replaced")
	}

	if r := must(t, built(t, t.TempDir(), "sample", nil, draw("/proc/self/fd/1")...)); r.out != string(want) || !strings.Contains(r.errOut, "fd/1") {
		t.Errorf("%d bytes of standard output, %d of samples; %s", len(r.out), len(want), r.errOut)
	}
	refused(t, program(t, "sample", nil, draw(dir)...), 2, "folder")
	refused(t, program(t, "sample", nil, draw(ckpt)...), 2, "weights")
	noise := filepath.Join(dir, "noise.npz")
	var cube bytes.Buffer
	if err := npz.WriteSamples(&cube, &npz.Samples{Shape: []int{1, 2, 2}, X0: make([]float32, 8)}); err != nil {
		t.Fatal(err)
	}
	write(t, noise, cube.Bytes())
	refused(t, program(t, "sample", nil, "--checkpoint", ckpt, "--init", noise), 2, "[1 2 2]", "the model's have [2]")
	refused(t, program(t, "sample", nil, draw(filepath.Join(dir, "no/x.npz"))...), 1, "no/x.npz")
}

// convert follows links too.
func TestConvertThroughLinks(t *testing.T) {
	ckpt, dir := moonsModel(t), t.TempDir()
	link := filepath.Join(dir, "model.safetensors")
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), link); err != nil {
		t.Fatal(err)
	}
	must(t, program(t, "convert", nil, ckpt, link))
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Error("the link was replaced")
	}
	if len(read(t, filepath.Join(dir, "elsewhere"))) < 1000 {
		t.Error("nothing is where the link leads")
	}
	refused(t, program(t, "convert", nil, ckpt, filepath.Join(dir, "no/x.pth")), 1, "no/x.pth")
}

// Of pictures under the names that sample gives, the newest has the plain one, and
// none is lost.
func TestPicturesBefore(t *testing.T) {
	ckpt := moonsModel(t)
	dir := filepath.Dir(ckpt)
	draw := func(seed string) result {
		return must(t, program(t, "sample", nil, "--checkpoint", ckpt, "--device", "cpu", "--num-samples", "20", "--steps", "2", "--frames", "2", "--seed", seed))
	}
	if r := draw("1"); strings.Contains(r.errOut, "before") {
		t.Errorf("the first pictures: %s", r.errOut)
	}
	first := read(t, filepath.Join(dir, "final_samples.png"))
	r := draw("2")
	if !strings.Contains(r.errOut, "final_samples-001.png and trajectory-001.gif\n") {
		t.Errorf("%q does not say where the pictures before are", r.errOut)
	}
	if strings.Contains(r.out, "-001") {
		t.Errorf("results: %q", r.out)
	}
	if !bytes.Equal(first, read(t, filepath.Join(dir, "final_samples-001.png"))) || bytes.Equal(first, read(t, filepath.Join(dir, "final_samples.png"))) {
		t.Error("the newest has not the plain name, or the first is lost")
	}
}
