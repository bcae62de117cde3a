package models

import (
	"fmt"
	"testing"
)

func TestSummary(t *testing.T) {
	u, err := NewUNet(UNetConfig{Channels: 1, Size: 28, NumChannels: 64, NumResBlocks: 2, AttentionResolutions: []int{16}, NumClasses: 10})
	if err != nil {
		t.Fatal(err)
	}
	layers, err := Summary(u)
	if err != nil {
		t.Fatal(err)
	}
	var all int64
	by := map[string]Layer{}
	for _, l := range layers {
		if _, twice := by[l.Name]; twice || l.Name == "" {
			t.Errorf("layer %q is there twice, or nameless", l.Name)
		}
		by[l.Name] = l
		all += l.Parameters
	}
	if all != 6_224_769 { // torchcfm's UNetModel of these arguments
		t.Errorf("%d parameters in all", all)
	}
	// From the definition: an attention block is GroupNorm(64), 64 -> 192 and
	// 64 -> 64 products; the first convolution 9 weights a channel and a bias.
	for name, want := range map[string]string{
		"input_blocks.0.0": "Conv2d [64 28 28] 640",
		"input_blocks.1.1": "Attention [64 28 28] 16768",
		"input_blocks.3.0": "Downsample [64 14 14] 36928",
		"label_emb":        "Embedding [256] 2560",
		"out.2":            "Conv2d [1 28 28] 577",
	} {
		if got := fmt.Sprintf("%s %v %d", by[name].Kind, by[name].Output, by[name].Parameters); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	m, err := NewMLP(MLPConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if layers, err = Summary(m); err != nil || len(layers) != 7 || layers[6].Parameters != 1026 || layers[6].Name != "layers.6" {
		t.Errorf("%v, %v", layers, err)
	}
}
