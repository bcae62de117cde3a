package trainer

import (
	"reflect"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/weights"

	"flowmatch/models"
)

// filled are weights of the network n whose every number tells its place.
func filled(t *testing.T, n models.Config) *weights.Dict {
	t.Helper()
	m, err := n.Build()
	if err != nil {
		t.Fatal(err)
	}
	d, err := models.Weights(m)
	if err != nil {
		t.Fatal(err)
	}
	out := &weights.Dict{}
	for name, w := range d.All() {
		v := make([]float32, w.Numel())
		for i := range v {
			v[i] = float32(i%1000) / 1000
		}
		out.Set(name, weights.FromFloat32(v, w.Shape...))
	}
	return out
}

// A run begins with another one's weights; of its classes those that the other knows by
// name keep their rows, and the rest stays fresh.
func TestBegin(t *testing.T) {
	base := models.UNetConfig{Channels: 1, Size: 8, NumChannels: 32, ChannelMult: []int{1, 1}, NumResBlocks: 1}.Defaults()
	transformer := models.DiTConfig{Channels: 1, Size: 8, Depth: 1, Width: 32, NumHeads: 1}.Defaults()
	labels := map[string]string{"unet": "label_emb.weight", "dit": "y_embedder.embedding_table.weight"}
	for _, c := range []struct {
		name        string
		of          models.Config
		theirs      []string // nil: a file without a record
		known, null int
		ours        []string
		ourNull     bool
		want        []int // row of theirs in each row of ours, -1 for a fresh one
		words       string
	}{
		{"the same", base, []string{"a", "b"}, 2, 0, []string{"a", "b"}, false, []int{0, 1}, "all 2 classes"},
		{"others too", base, []string{"a", "b"}, 2, 0, []string{"b", "c", "a"}, false, []int{1, -1, 0}, "2 of the 3 classes"},
		{"guidance", base, []string{"a", "b"}, 2, 0, []string{"a", "b"}, true, []int{0, 1, -1}, "all 2"},
		{"both guided", base, []string{"a", "b"}, 2, 1, []string{"b"}, true, []int{1, 2}, "knows the only class"},
		{"no longer guided", base, []string{"a", "b"}, 2, 1, []string{"b"}, false, []int{1}, "knows the only class"},
		{"strangers", base, []string{"a", "b"}, 2, 0, []string{"x"}, false, []int{-1}, "does not know the only class"},
		{"it had none", base, []string{"a", "b"}, 0, 0, []string{"a"}, false, []int{-1}, "does not know the only class"},
		{"none are wanted", base, []string{"a", "b"}, 2, 0, nil, false, nil, ""},
		{"PyTorch's, by number", base, nil, 2, 0, []string{"x", "y"}, false, []int{0, 1}, "all 2"},
		{"PyTorch's, guided", base, nil, 2, 1, []string{"x", "y"}, true, []int{0, 1, 2}, "all 2"},
		{"PyTorch's, another number", base, nil, 4, 0, []string{"x", "y"}, false, []int{-1, -1}, "none of the 2"},
		{"a transformer", transformer, []string{"a", "b"}, 2, 1, []string{"b", "c"}, true, []int{1, -1, 2}, "1 of the 2"},
	} {
		of := c.of.WithClasses(c.known, c.null == 1)
		ck := &Checkpoint{Path: "theirs.pth", Tensors: filled(t, of)}
		if c.theirs != nil {
			ck.Record = &Record{Kind: of.Kind(), Model: mustJSON(of), Dataset: DatasetRecord{ClassNames: c.theirs}}
		}
		m, err := c.of.WithClasses(len(c.ours), c.ourNull).Build()
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := models.Weights(m)
		if err != nil {
			t.Fatal(err)
		}
		said, err := ck.Begin(m, c.ours)
		if err != nil || !strings.Contains(said, c.words) || (said == "") != (c.words == "") {
			t.Errorf("%s: %q, %v", c.name, said, err)
		}
		got, err := models.Weights(m)
		if err != nil {
			t.Fatal(err)
		}
		for name, w := range got.All() {
			if name != labels[of.Kind()] {
				if !reflect.DeepEqual(w, ck.Tensors.Get(name)) {
					t.Errorf("%s: %s is not theirs", c.name, name)
				}
				continue
			}
			width := int(w.Shape[1])
			for i, from := range c.want {
				want := fresh.Get(name).Data[4*i*width:][:4*width]
				if from >= 0 {
					want = ck.Tensors.Get(name).Data[4*from*width:][:4*width]
				}
				if string(w.Data[4*i*width:][:4*width]) != string(want) {
					t.Errorf("%s: row %d is not %d of theirs", c.name, i, from)
				}
			}
		}
	}
}

// Weights of another network are refused, with both shapes, and nothing is changed.
func TestBeginRefuses(t *testing.T) {
	narrow, wide := small(), small()
	wide.NumChannels = 64
	torch.ManualSeed(1)
	m, err := models.NewUNet(narrow)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := models.Weights(m)
	ck := &Checkpoint{Path: "theirs.pth", Tensors: filled(t, wide)}
	if _, err := ck.Begin(m, nil); err == nil || !strings.Contains(err.Error(), "theirs.pth") || !strings.Contains(err.Error(), "in the file") {
		t.Errorf("%v", err)
	}
	if after, _ := models.Weights(m); !reflect.DeepEqual(before, after) {
		t.Error("a network that does not fit was changed")
	}
}
