package trainer

import (
	"context"
	"encoding/json"
	"math"
	"path/filepath"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/datasets/plane"
	"flowmatch/models"
)

// A run of an earlier version (testdata/before) is gone on with to what that
// version made of it, and records say the same of it.
func TestRunOfBefore(t *testing.T) {
	from, err := ReadState(filepath.Join("testdata", "before", StateFile))
	if err != nil {
		t.Fatal(err)
	}
	n, err := from.Record.Network()
	if err != nil {
		t.Fatal(err)
	}
	if n != models.Config(models.MLPConfig{Dim: 2, HiddenDim: 8}) {
		t.Errorf("network %+v", n)
	}
	set, err := plane.Open(from.Record.Dataset.Name)
	if err != nil {
		t.Fatal(err)
	}
	net, err := n.Build()
	if err != nil {
		t.Fatal(err)
	}
	f, err := OpenFolder(t.TempDir(), 2)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := from.Record.Training.Configuration
	r := Run{
		Config: c, Network: net, Dataset: from.Record.Dataset, Folder: f, Device: torch.CPU, MaxSteps: 130,
		Open: Data(set),
	}
	if _, err := r.Train(context.Background(), from); err != nil {
		t.Fatal(err)
	}
	got, err := ReadCheckpoint(f.path(CheckpointFile))
	if err != nil {
		t.Fatal(err)
	}
	want, err := ReadCheckpoint(filepath.Join("testdata", "before", CheckpointFile))
	if err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(got.Record)
	b, _ := json.Marshal(want.Record)
	if string(a) != string(b) {
		t.Errorf("record %s, want %s", a, b)
	}
	for name, w := range want.Tensors.All() {
		was, err := w.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		now, err := got.Tensors.Get(name).Float32s()
		if err != nil || len(now) != len(was) {
			t.Fatalf("%s: %d numbers, want %d: %v", name, len(now), len(was), err)
		}
		for i := range was {
			// Another kind of processor adds in another order.
			if math.Abs(float64(now[i]-was[i])) > 1e-5 {
				t.Errorf("%s[%d] is %v, was %v", name, i, now[i], was[i])
			}
		}
	}
}

// The record of an earlier version's digits.
const recordOfBefore = `{"format":1,"kind":"unet","model":{"channels":1,"size":8,"num_channels":32,"channel_mult":[1],"num_res_blocks":1,` +
	`"attention_resolutions":[],"num_heads":1,"dropout":0.1,"num_classes":10,"null_class":true},` +
	`"dataset":{"name":"digits","shape":[1,8,8],"classes":10,"class_names":["0","1","2","3","4","5","6","7","8","9"],"levels":17},` +
	`"training":{"recipe":"default","configuration":{"recipe":"default","iterations":1600,"batch_size":64,"learning_rate":0.002,"warmup":100,` +
	`"schedule":"cosine","weight_decay":0.01,"ema_decay":0.998,"grad_clip":1,"accumulate":1,"sigma_min":0,"class_dropout":0.1,` +
	`"horizontal_flip":false,"precision":"fp32","seed":42},"step":1,"seed":42},"made_by":{"libtorch":"2.11","version":"0.1.0"}}`

func TestRecordOfBefore(t *testing.T) {
	r, err := ParseRecord([]byte(recordOfBefore))
	if err != nil {
		t.Fatal(err)
	}
	n, err := r.Network()
	if err != nil {
		t.Fatal(err)
	}
	if n.Kind() != "unet" || n.Classes() != 10 || !n.HasNullClass() || !n.HasDropout() {
		t.Errorf("%+v", n)
	}
	net, err := n.Build()
	if err != nil {
		t.Fatal(err)
	}
	if c := models.Count(net); c != 163_585 { // what the program convert said of its weights
		t.Errorf("%d parameters", c)
	}
	l := loop{Run: &Run{Network: net, Dataset: r.Dataset, Config: r.Training.Configuration}, done: 1}
	now := l.record()
	b, err := json.Marshal(now)
	if err != nil {
		t.Fatal(err)
	}
	if again := ofCheckpoint(&now, b); string(again) != recordOfBefore {
		t.Errorf("the record is now %s", again)
	}
}
