package trained

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/faulttest"
	"github.com/wangkuiyi/gotorch/safetensors"
	"github.com/wangkuiyi/gotorch/weights"

	"flowmatch/datasets"
	"flowmatch/models"
	"flowmatch/trainer"
)

// whole is a checkpoint as a run writes it: its record, and the tensors of its network.
type whole struct {
	record  trainer.Record
	tensors *weights.Dict
}

func wholeOf(t *testing.T, set string, network models.Config) whole {
	t.Helper()
	in, err := datasets.Lookup(set)
	if err != nil {
		t.Fatal(err)
	}
	n, err := network.Build()
	if err != nil {
		t.Fatal(err)
	}
	d, err := models.Weights(n)
	if err != nil {
		t.Fatal(err)
	}
	model, err := json.Marshal(network)
	if err != nil {
		t.Fatal(err)
	}
	c := trainer.Config{Iterations: 40, Seed: 7}.Defaults()
	return whole{trainer.Record{
		Format: weights.RecordFormat, Kind: network.Kind(), Model: model, Dataset: trainer.Describe(in),
		Training: trainer.TrainingRecord{Recipe: c.Recipe, Configuration: c, Step: 12, Seed: c.Seed}, MadeBy: map[string]string{"version": trainer.Version},
	}, d}
}

// signed is the file with a change in its record, at a path like "dataset.shape", and one in its tensors. Its seal fits
// both.
func (w whole) signed(t *testing.T, path string, value any, change func(*weights.Dict)) []byte {
	t.Helper()
	text, err := json.Marshal(w.record)
	if err != nil {
		t.Fatal(err)
	}
	if path != "" {
		var record map[string]any
		if err := json.Unmarshal(text, &record); err != nil {
			t.Fatal(err)
		}
		at, keys := record, strings.Split(path, ".")
		for _, k := range keys[:len(keys)-1] {
			at = at[k].(map[string]any)
		}
		at[keys[len(keys)-1]] = value
		if text, err = json.Marshal(record); err != nil {
			t.Fatal(err)
		}
	}
	d := &weights.Dict{}
	for name, v := range w.tensors.All() {
		d.Set(name, v)
	}
	if change != nil {
		change(d)
	}
	kept := &weights.Dict{}
	for name, v := range d.All() {
		if v != nil {
			kept.Set(name, v)
		}
	}
	var b bytes.Buffer
	if err := safetensors.Write(&b, &weights.File{Tensors: kept, Record: text}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A record that lies, of a file whose seal fits, is refused before anything is made of it: of the set, of the network, of
// the run, and tensors that are not the network's.
func TestLies(t *testing.T) {
	points := wholeOf(t, "moons", models.MLPConfig{HiddenDim: 16}.Defaults())
	images := wholeOf(t, "digits", models.UNetConfig{Channels: 1, Size: 8, NumChannels: 32, ChannelMult: []int{1, 2}, NumResBlocks: 1, AttentionResolutions: []int{4}, NumClasses: 10, NullClass: true}.Defaults())
	open := func(b []byte) error {
		ck, err := trainer.ParseCheckpoint("lie", b)
		if err != nil {
			return err
		}
		m, err := Of(ck, Options{})
		if err != nil {
			return err
		}
		_, err = m.Sampler(torch.CPU, "fp32")
		return err
	}
	for name, w := range map[string]whole{"points": points, "images": images} {
		if err := open(w.signed(t, "", nil, nil)); err != nil {
			t.Fatalf("%s: the truth: %v", name, err)
		}
	}
	names := func(n int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprint("class ", i))
		}
		return all
	}
	const huge = 1 << 40
	var cases []faulttest.Hostile
	lie := func(of string, w whole, path string, values ...any) {
		for _, v := range values {
			cases = append(cases, faulttest.Hostile{Name: fmt.Sprintf("%s: %s is %.60s (%d)", of, path, fmt.Sprint(v), len(fmt.Sprint(v))), Data: w.signed(t, path, v, nil)})
		}
	}
	for name, w := range map[string]whole{"points": points, "images": images} {
		lie(name, w, "kind", "", "resnet", "dit", map[string]string{"points": "unet", "images": "mlp"}[name])
		lie(name, w, "dataset.shape", nil, []int{}, []int{3}, []int{2, 2}, []int{1, 8, 4}, []int{3, 8, 8}, []int{1, 8, 8, 1}, []int{-2}, []int{1, 0, 8}, []int{1, huge, 8}, []int{huge})
		lie(name, w, "dataset.classes", -1, 1, 9, 11, huge)
		lie(name, w, "dataset.class_names", names(1), names(9), names(11), names(1000))
		lie(name, w, "dataset.levels", -1, 1, huge)
		lie(name, w, "dataset.name", map[string]string{"points": "digits", "images": "moons"}[name])
		lie(name, w, "training.step", -1, 41, huge)
		lie(name, w, "model.extra", 1, "x", nil)
		lie(name, w, "training", map[string]any{})
		lie(name, w, "training.configuration.class_dropout", 7, -1)
		lie(name, w, "training.seed", 8)
		lie(name, w, "training.recipe", "", "reference")
		lie(name, w, "training.configuration.iterations", -1, 0, 11)
		lie(name, w, "training.configuration.path", "nowhere")
		lie(name, w, "training.configuration.coupling", "nowhere")
		lie(name, w, "training.configuration.precision", "fp8")
		lie(name, w, "training.configuration.ema_decay", -1, 1, 2)
		lie(name, w, "training.configuration.sigma_min", -1, 1)
		lie(name, w, "training.configuration.batch_size", -1, huge)
		lie(name, w, "training.configuration.earlier_iterations", []int{-1}, []int{50}, []int{20, 10})
		lie(name, w, "dataset.before", []trainer.DataBefore{{Data: "x", Steps: -1}}, []trainer.DataBefore{{Data: "x", Steps: 13}})
	}
	lie("points", points, "dataset.class_names", []string{"a", "b"})
	lie("points", points, "model.dim", 1, 3, -2, huge)
	lie("points", points, "model.hidden_dim", 0, 8, 15, 32, -16, huge)
	lie("images", images, "dataset.frame", map[string]any{"middle": []int{0, 0}, "spread": []int{1, 1}})
	lie("images", images, "dataset.class_names", []string(nil), strings.Split("0000000000", ""), strings.Split("0123456780", ""))
	lie("images", images, "model.channels", 3, 0)
	lie("images", images, "model.size", 4, 16, 0)
	lie("images", images, "model.num_channels", 64, 0, huge)
	lie("images", images, "model.channel_mult", []int{}, []int{1}, []int{2, 1}, []int{1, 2, 2})
	lie("images", images, "model.num_res_blocks", 2, 0, huge)
	lie("images", images, "model.attention_resolutions", []int{}, []int{8}, []int{4, 8})
	lie("images", images, "model.num_classes", 0, 9, 11, huge)
	lie("images", images, "model.null_class", false)
	tensor := func(of string, w whole, what, name string, v *weights.Tensor) {
		cases = append(cases, faulttest.Hostile{Name: of + ": " + what, Data: w.signed(t, "", nil, func(d *weights.Dict) { d.Set(name, v) })})
	}
	zeros := func(d weights.DType, shape ...int64) *weights.Tensor {
		return &weights.Tensor{DType: d, Shape: shape, Data: make([]byte, weights.ByteSize(d, shape))}
	}
	tensor("points", points, "a tensor less", "layers.2.bias", nil)
	tensor("points", points, "a tensor more", "layers.8.bias", zeros(weights.Float, 2))
	tensor("points", points, "transposed", "layers.0.weight", zeros(weights.Float, 3, 16))
	tensor("points", points, "whole numbers", "layers.2.weight", zeros(weights.Long, 16, 16))
	tensor("points", points, "truths", "layers.2.bias", zeros(weights.Bool, 16))
	tensor("points", points, "one number", "layers.2.bias", zeros(weights.Float, 1))
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		tensor("points", points, fmt.Sprint("a weight of ", bad), "layers.6.bias", weights.FromFloat32([]float32{0, float32(bad)}, 2))
	}
	tensor("images", images, "a row of classes less", "label_emb.weight", zeros(weights.Float, 10, 128))
	tensor("images", images, "a row of classes more", "label_emb.weight", zeros(weights.Float, 12, 128))
	faulttest.Corpus(t, "8 lies", cases, open)
}
