package models

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

// Every kind of network is read from its own JSON, and says of itself what its
// tensors say.
func TestConfigs(t *testing.T) {
	configs := []Config{
		MLPConfig{HiddenDim: 8}.Defaults(),
		UNetConfig{Channels: 3, Size: 8, NumChannels: 32, NumResBlocks: 1, NumClasses: 4, NullClass: true, Dropout: 0.1}.Defaults(),
		UNetConfig{Channels: 1, Size: 8, NumChannels: 64, AttentionResolutions: []int{4}}.Defaults(),
		DiTConfig{Channels: 3, Size: 8, NumClasses: 4, NullClass: true}.Defaults(),
	}
	seen := map[string]bool{}
	for _, c := range configs {
		seen[c.Kind()] = true
		raw, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		read, err := ParseConfig(c.Kind(), raw)
		if err != nil || !reflect.DeepEqual(read, c) {
			t.Errorf("%s is read as %+v: %v", raw, read, err)
			continue
		}
		net, err := read.Build()
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(net.Config(), c) {
			t.Errorf("%+v was built as %+v", c, net.Config())
		}
		if n, least := float64(Count(net)), c.LeastParameters(); n < least || n > 20*least {
			t.Errorf("%s: %v parameters, at least %v", c.Kind(), n, least)
		}
		layers, err := Summary(net)
		if err != nil {
			t.Fatal(err)
		}
		most := 0
		for _, l := range layers {
			most = max(most, 4*int(torch.Numel(l.Output)))
		}
		if b := c.SampleBytes(); most < b || most > 4*b {
			t.Errorf("%s: a layer gives %d bytes for a sample, said %d", c.Kind(), most, b)
		}
		if w, b := c.WorkBytes(), c.SampleBytes(); w < 2*b {
			t.Errorf("%s: evaluating holds %d bytes, a layer alone %d", c.Kind(), w, b)
		}
		rows := LabelRows(c.Kind(), must(Weights(net)))
		want := int64(c.Classes())
		if c.HasNullClass() {
			want++
		}
		if rows != want {
			t.Errorf("%s: a class embedding of %d rows, want %d", c.Kind(), rows, want)
		}
	}
	for kind := range kinds {
		if !seen[kind] {
			t.Errorf("%s is not tested", kind)
		}
	}
	if r := Remarks(configs[1]); len(r) != 1 || !strings.Contains(r[0], "32 channels") {
		t.Errorf("remarks %q", r)
	}
	if r := append(Remarks(configs[0]), Remarks(configs[2])...); r != nil {
		t.Errorf("remarks %q", r)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A network for every size that can be halved often enough: the sizes of before have what
// they had, and nothing has attention above 32 x 32.
func TestDefaultChannelMult(t *testing.T) {
	for size, want := range map[int]string{
		4: "[1]", 7: "[1]", 8: "[1 2]", 12: "[1 2]", 16: "[1 2 2]", 24: "[1 2 2]", 28: "[1 2 2]", 31: "[1]", 32: "[1 2 2 2]", 48: "[1 2 2 2]",
		50: "[1 2]", 64: "[1 2 3 4]", 96: "[1 2 3 4]", 128: "[1 1 2 3 4]", 256: "[1 1 2 3 4]", 63: "[]", 66: "[]", 1024: "[]",
	} {
		if got := fmt.Sprint(DefaultChannelMult(size)); got != want {
			t.Errorf("%d: %s, want %s", size, got, want)
		}
	}
	for size := 1; size <= 128; size++ {
		if m := DefaultChannelMult(size); m != nil {
			if err := (UNetConfig{Channels: 1, Size: size, NumChannels: 32}).Defaults().Check(); err != nil {
				t.Errorf("%d: %v", size, err)
			}
		}
	}
}

func TestParseConfigRefuses(t *testing.T) {
	for _, c := range []struct{ kind, raw, want string }{
		{"dti", `{}`, `"dti"`},
		{"mlp", `{"dim":2,"dim":3}`, "dim"},
		{"mlp", `{"dim":2,"hidden_dim":-1}`, "hidden"},
		{"unet", `{"channels":1,"size":8,"num_channels":33}`, "32"},
		{"unet", ``, ""},
	} {
		if _, err := ParseConfig(c.kind, []byte(c.raw)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v", c.kind, c.raw, err)
		}
	}
}

// What evaluating a sample holds at once, against what it does hold.
func TestWorkBytes(t *testing.T) {
	for name, c := range map[string]Config{
		"points":      MLPConfig{}.Defaults(),
		"digits":      UNetConfig{Channels: 1, Size: 8, NumChannels: 32, AttentionResolutions: []int{4}}.Defaults(),
		"mnist":       UNetConfig{Channels: 1, Size: 28, NumChannels: 64, NumResBlocks: 1, AttentionResolutions: []int{16}}.Defaults(),
		"transformer": DiTConfig{Channels: 1, Size: 28, Depth: 2}.Defaults(),
	} {
		net, err := c.Build()
		if err != nil {
			t.Fatal(err)
		}
		peak := func(n int64) (bytes int64) {
			torch.Scoped(func() {
				torch.NoGrad(func() {
					x := torch.Zeros(append([]int64{n}, c.SampleShape()...), torch.Options{})
					times := torch.Zeros([]int64{n}, torch.Options{})
					torch.ResetPeak()
					before := torch.Stats().BytesUsed
					net.Velocity(x, times, torch.Tensor{})
					bytes = torch.Stats().BytesPeak - before
				})
			})
			return bytes
		}
		n := int64(2)
		switch name { // small ones are not seen beside what does not grow: the weights, each core's own memory
		case "points":
			n = 2000
		case "digits":
			n = 64
		}
		got := float64(peak(2*n)-peak(n)) / float64(n)
		// How much a convolution lays out anew depends on the number of cores, too.
		if ratio := float64(c.WorkBytes()) / got; ratio < 0.6 || ratio > 3 {
			t.Errorf("%s: a sample holds %.0f bytes, said %d (%.2f of it)", name, got, c.WorkBytes(), ratio)
		}
	}
}
