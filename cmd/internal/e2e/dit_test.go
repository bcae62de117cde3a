package e2e

import (
	"path/filepath"
	"strings"
	"testing"
)

// A diffusion transformer is trained, goes on, is sampled, rectified, converted
// and summarised as a UNet is.
func TestDiT(t *testing.T) {
	dir := t.TempDir()
	network := []string{"--network", "dit", "--depth", "1", "--width", "24", "--num-heads", "2"}
	train := func(steps string, more ...string) result {
		args := append([]string{"--dataset", "digits", "--device", "cpu", "--precision", "fp32", "--batch-size", "16", "--class-dropout", "0.1",
			"--iterations", "6", "--max-steps", steps, "--no-figures"}, network...)
		return program(t, "train", nil, append(args, more...)...)
	}
	whole, stopped := filepath.Join(dir, "whole"), filepath.Join(dir, "stopped")
	must(t, train("6", "--output-dir", whole))
	must(t, train("3", "--output-dir", stopped))
	must(t, train("6", "--output-dir", stopped, "--resume"))
	const file = "cfm/digits/ckpt.pth"
	if a, b := read(t, filepath.Join(whole, file)), read(t, filepath.Join(stopped, file)); string(a) != string(b) {
		t.Error("a stop changes the weights")
	}

	must(t, program(t, "sample", nil, "--dataset", "digits", "--device", "cpu", "--output-dir", whole, "--guidance", "2", "--classes", "3",
		"--samples-per-class", "2", "--steps", "2"))
	must(t, program(t, "reflow", nil, "--dataset", "digits", "--device", "cpu", "--precision", "fp32", "--output-dir", whole, "--batch-size", "16",
		"--iterations", "2", "--pairs", "20", "--steps", "2", "--no-figures"))

	// Without its record the file is known by its tensors, and the flags say the rest.
	foreign := filepath.Join(dir, "theirs.safetensors")
	must(t, program(t, "convert", nil, filepath.Join(whole, file), foreign))
	r := must(t, program(t, "convert", nil, "--list", foreign))
	for _, name := range []string{"pos_embed", "x_embedder.proj.weight", "blocks.0.adaLN_modulation.1.weight", "final_layer.linear.bias"} {
		if !strings.Contains(r.out, name) {
			t.Errorf("%s is not listed", name)
		}
	}
	r = must(t, program(t, "train", nil, append([]string{"--dataset", "digits", "--device", "cpu", "--summary"}, network...)...))
	if !strings.Contains(r.out, "blocks.0") || strings.Contains(r.out, "blocks.1") {
		t.Errorf("summary %s", r.out)
	}

	for _, c := range []struct{ args, says string }{
		{"--dataset digits --depth 2", "--depth is for --network dit"},
		{"--dataset digits --network dit --num-channels 32", "--num-channels is for --network unet"},
		{"--dataset digits --network dit --patch-size 3", "--patch-size 3 does not divide 8"},
		{"--dataset digits --network vit", "unet or dit"},
		{"--dataset moons --network dit", "--network"},
	} {
		refused(t, program(t, "train", noLibtorch, strings.Fields(c.args)...), 2, c.says)
	}
}
