package e2e

import (
	"compress/gzip"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// noLibtorch makes sure that nothing is answered with libtorch's help.
var noLibtorch = []string{"LIBTORCH=/nonexistent"}

func TestWrongUse(t *testing.T) {
	for name, c := range map[string]struct {
		program string
		args    []string
		words   []string
	}{
		"unknown set":         {"train", []string{"--dataset", "digts"}, []string{"digts", "digits"}},
		"no set":              {"train", nil, []string{"--dataset"}},
		"unknown flag":        {"train", []string{"--learnin-rate", "1"}, []string{"--learning-rate"}},
		"argument":            {"train", []string{"digits"}, []string{"digits"}},
		"zero steps":          {"train", []string{"--dataset", "digits", "--iterations", "0"}, []string{"--iterations 0"}},
		"zero epochs":         {"train", []string{"--dataset", "digits", "--epochs", "0"}, []string{"--epochs 0"}},
		"both lengths":        {"train", []string{"--dataset", "digits", "--epochs", "1", "--iterations", "1"}, []string{"exclude"}},
		"zero batch":          {"train", []string{"--dataset", "digits", "--batch_size", "0"}, []string{"--batch-size 0"}},
		"negative rate":       {"train", []string{"--dataset", "digits", "--learning-rate", "-1"}, []string{"--learning-rate"}},
		"rate not a number":   {"train", []string{"--dataset", "digits", "--learning-rate", "nan"}, []string{"--learning-rate"}},
		"schedule":            {"train", []string{"--dataset", "digits", "--schedule", "linear"}, []string{"--schedule", "cosine"}},
		"precision":           {"train", []string{"--dataset", "digits", "--precision", "fp64"}, []string{"--precision", "bf16"}},
		"channels":            {"train", []string{"--dataset", "digits", "--num-channels", "33"}, []string{"--num-channels 33", "32"}},
		"levels":              {"train", []string{"--dataset", "digits", "--channel-mult", "1,1,1,1,1"}, []string{"--channel-mult"}},
		"levels not numbers":  {"train", []string{"--dataset", "digits", "--channel-mult", "1,x"}, []string{"--channel-mult"}},
		"resume and fresh":    {"train", []string{"--dataset", "digits", "--resume", "--fresh"}, []string{"exclude"}},
		"recipe":              {"train", []string{"--dataset", "digits", "--recipe", "best"}, []string{"--recipe"}},
		"no model":            {"sample", nil, []string{"--checkpoint"}},
		"sample, unknown set": {"sample", []string{"--dataset", "mnits"}, []string{"mnist"}},
		"zero solver steps":   {"sample", []string{"--dataset", "digits", "--steps", "0"}, []string{"--steps 0"}},
		"method":              {"sample", []string{"--dataset", "digits", "--method", "midpont"}, []string{"midpoint"}},
		"init and classes":    {"sample", []string{"--dataset", "digits", "--init", "x.npz", "--classes", "1"}, []string{"--init"}},
		"no samples":          {"sample", []string{"--dataset", "digits", "--samples-per-class", "0"}, []string{"--samples-per-class 0"}},
		"threads":             {"sample", []string{"--dataset", "digits", "--threads", "-1"}, []string{"--threads"}},
		"device":              {"train", []string{"--dataset", "mnist", "--device", "gpu"}, []string{"--device", "cuda"}},
		"device, evaluate":    {"evaluate", []string{"--dataset", "digits", "--device", "gpu"}, []string{"--device", "cuda"}},
		"huge number":         {"sample", []string{"--dataset", "moons", "--num-samples", "4611686018427387904"}, []string{"--num-samples"}},
		"huge batch":          {"train", []string{"--dataset", "moons", "--batch-size", "4611686018427387904"}, []string{"--batch-size"}},
		"film without":        {"sample", []string{"--dataset", "moons", "--no-figures", "--frames", "3"}, []string{"--frames", "--no-figures"}},
		"huge classes":        {"sample", []string{"--dataset", "digits", "--samples-per-class", "4611686018427387904"}, []string{"--samples-per-class"}},
		"init and seed":       {"sample", []string{"--dataset", "digits", "--init", "x.npz", "--seed", "1"}, []string{"--init", "--seed"}},
		"UNet for points":     {"sample", []string{"--dataset", "moons", "--num-channels", "32"}, []string{"moons", "--hidden-dim"}},
		"MLP for images":      {"evaluate", []string{"--dataset", "digits", "--hidden-dim", "32"}, []string{"digits", "--hidden-dim"}},
		"size of no folder":   {"sample", []string{"--dataset", "digits", "--image-size", "32"}, []string{"--image-size", "folder:"}},
		"solvers of nll":      {"evaluate", []string{"--dataset", "moons", "--measures", "nll", "--solvers", "euler:1"}, []string{"--solvers"}},
		"samples of nll":      {"evaluate", []string{"--dataset", "moons", "--measures", "nll", "--num-samples", "9"}, []string{"--num-samples"}},
		"huge comparison":     {"compare", []string{"--dataset", "moons", "--quality-samples", "4611686018427387904"}, []string{"--quality-samples"}},
		"huge film":           {"compare", []string{"--dataset", "moons", "--figure-samples", "4611686018427387904"}, []string{"--figure-samples"}},
		"device, compare":     {"compare", []string{"--dataset", "moons", "--device", "cuda:x"}, []string{"--device"}},
		"empty npz":           {"sample", []string{"--dataset", "moons", "--npz", ""}, []string{"--npz", "empty"}},
		"convert one file":    {"convert", []string{"a.pth"}, []string{"two files"}},
		"convert endings":     {"convert", []string{"a.pth", "b.onnx"}, []string{".safetensors"}},
		"doctor argument":     {"doctor", []string{"all"}, []string{"all"}},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, program(t, c.program, noLibtorch, c.args...), 2, c.words...)
		})
	}
}

// A launcher's processes would all train the same run.
func TestSeveralProcesses(t *testing.T) {
	for _, name := range []string{"train", "reflow"} {
		refused(t, program(t, name, append(noLibtorch, "WORLD_SIZE=2"), "--dataset", "moons"), 2, "WORLD_SIZE is 2", "several processes")
		refused(t, program(t, name, append(noLibtorch, "WORLD_SIZE=abc"), "--dataset", "moons"), 2, `WORLD_SIZE is "abc", which is no number of processes`)
	}
	for variable, want := range map[string]string{
		"WORLD_SIZE=0": "is no number of processes", "WORLD_SIZE=1e1": "is no number of processes", "RANK=-1": `RANK is "-1", which is no number of a process`,
		"RANK=first": "RANK is", "RANK=1": "RANK is 1, and a run of several processes", "LOCAL_RANK=x": "LOCAL_RANK is", "LOCAL_RANK=3": "unset LOCAL_RANK",
	} {
		refused(t, program(t, "train", append(noLibtorch, variable), "--dataset", "moons"), 2, want)
	}
	for _, alone := range []string{"WORLD_SIZE=1", "WORLD_SIZE=", "RANK=0", "LOCAL_RANK=0"} {
		refused(t, program(t, "train", append(noLibtorch, alone), "--dataset", "moons", "--output-dir", t.TempDir()), 1, "LIBTORCH")
	}
}

func TestHelpNeedsNoLibtorch(t *testing.T) {
	for _, name := range []string{"train", "sample", "reflow", "compare", "evaluate", "convert", "ui", "doctor"} {
		for _, flag := range []string{"--help", "--version"} {
			r := program(t, name, noLibtorch, flag)
			if r.status != 0 || r.errOut != "" || len(r.out) < 20 {
				t.Errorf("%s %s: status %d, %q, %q", name, flag, r.status, r.out, r.errOut)
			}
			t.Logf("%s %s answered in %v", name, flag, r.took)
		}
	}
	for name, says := range map[string]string{"train": "auto is bf16", "sample": "bf16 on a processor where its products are the faster ones", "evaluate": "likelihoods and straightness are in float32", "compare": "computes in float32"} {
		if r := program(t, name, noLibtorch, "--help"); !strings.Contains(strings.Join(strings.Fields(r.out), " "), says) { // help is wrapped
			t.Errorf("%s --help does not say %q of --precision", name, says)
		}
	}
	if r := program(t, "train", noLibtorch, "--dataset", "help"); r.status != 0 || len(r.out) < 100 {
		t.Errorf("--dataset help: %+v", r)
	}
}

func TestLibtorch(t *testing.T) {
	empty := t.TempDir()
	refused(t, program(t, "train", []string{"LIBTORCH=" + empty}, tiny(t.TempDir())...), 1, "LIBTORCH", empty)

	// A folder that looks like another version.
	old := t.TempDir()
	if err := os.MkdirAll(filepath.Join(old, "lib"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"lib/libtorch_cpu.so": "", "build-version": "2.3.1+cpu\n"} {
		if err := os.WriteFile(filepath.Join(old, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, program(t, "train", []string{"LIBTORCH=" + old}, tiny(t.TempDir())...), 1, "2.3.1", "2.11")

	// A program away from the project, with no libtorch anywhere.
	away := t.TempDir()
	exe, err := os.ReadFile(filepath.Join(root, "bin", "train"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(away, "train"), exe, 0o777); err != nil {
		t.Fatal(err)
	}
	r := runAt(t, away, filepath.Join(away, "train"), tiny(t.TempDir())...)
	refused(t, r, 1, "libtorch was not found", "scripts/setup")
}

func TestBadMNIST(t *testing.T) {
	refused(t, program(t, "train", nil, "--dataset", "mnist", "--data-dir", t.TempDir()), 1, "mnist", "train-images")

	data := t.TempDir()
	dir := filepath.Join(data, "mnist")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	images := filepath.Join(dir, "train-images-idx3-ubyte")
	write(t, images, idx(0x803, []uint32{2, 28, 28}, make([]byte, 31)))
	write(t, filepath.Join(dir, "train-labels-idx1-ubyte"), idx(0x801, []uint32{2}, []byte{1, 2}))
	refused(t, program(t, "train", nil, "--dataset", "mnist", "--data-dir", data), 1, "train-images-idx3-ubyte", "truncated")

	write(t, images, idx(0x801, []uint32{2}, []byte{1, 2}))
	refused(t, program(t, "train", nil, "--dataset", "mnist", "--data-dir", data), 1, "train-images-idx3-ubyte")

	write(t, images, idx(0x803, []uint32{2, 28, 28}, make([]byte, 2*784)))
	write(t, filepath.Join(dir, "train-labels-idx1-ubyte"), idx(0x801, []uint32{2}, []byte{1, 12}))
	refused(t, program(t, "train", nil, "--dataset", "mnist", "--data-dir", data), 1, "train-labels-idx1-ubyte", "12")
}

func TestUnwritableOutput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, []byte("not a folder"))
	refused(t, program(t, "train", nil, tiny(filepath.Join(file, "out"), "--quiet")...), 1, file, "output folder")
}

func idx(magic uint32, sizes []uint32, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, magic)
	for _, s := range sizes {
		b = binary.BigEndian.AppendUint32(b, s)
	}
	return append(b, data...)
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// gzipped writes a compressed file.
func gzipped(t *testing.T, path string, data []byte) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := gzip.NewWriter(f)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
