package trainer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"

	"flowmatch/datasets"
	"flowmatch/models"
)

// records are whole ones, of each kind of network.
func records() map[string]Record {
	all := make(map[string]Record)
	for _, n := range []models.Config{
		models.MLPConfig{HiddenDim: 8}.Defaults(),
		models.UNetConfig{Channels: 1, Size: 8, NumChannels: 32, ChannelMult: []int{1, 2}, AttentionResolutions: []int{4}, NumClasses: 10, NullClass: true}.Defaults(),
		models.DiTConfig{Channels: 1, Size: 8, NumClasses: 10}.Defaults(),
	} {
		c := config(40)
		c.Schedule = "cosine"
		shape, levels, frame := []int{2}, 0, &datasets.Frame{Spread: [2]float64{1, 2}}
		if n.Kind() != "mlp" {
			shape, levels, frame = []int{1, 8, 8}, 17, nil
		}
		c.Reflow = &ReflowConfig{Teacher: "t", Solver: "s", Pairs: 10, Round: 1}
		c.Earlier = []int{20}
		all[n.Kind()] = Record{
			Format: 1, Kind: n.Kind(), Model: mustJSON(n), MadeBy: map[string]string{"version": Version},
			Dataset: DatasetRecord{
				Name: "points", Shape: shape, Classes: 10, ClassNames: strings.Split("0123456789", ""), Levels: levels, Frame: frame, Before: []DataBefore{{"x", 3}},
			},
			Training: TrainingRecord{c.Recipe, c, 12, c.Seed},
		}
	}
	return all
}

// eachValue calls visit for every value of a JSON text, with a function that renders the text with another in its place.
func eachValue(text []byte, visit func(path string, value any, with func(v any) []byte)) {
	var root any
	if err := json.Unmarshal(text, &root); err != nil {
		panic(err)
	}
	var walk func(path string, v any, put func(any))
	walk = func(path string, v any, put func(any)) {
		visit(path, v, func(other any) []byte {
			put(other)
			defer put(v)
			return mustJSON(root)
		})
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				walk(path+"."+k, e, func(x any) { v[k] = x })
			}
		case []any:
			for i, e := range v {
				walk(fmt.Sprintf("%s[%d]", path, i), e, func(x any) { v[i] = x })
			}
		}
	}
	walk("", root, func(v any) { root = v })
}

// A record that is not as ours are is refused before anything is built of it: each value of another kind, each key in
// capitals or there twice, and numbers of which no network can be made.
func TestHostileRecords(t *testing.T) {
	var cases []faulttest.Hostile
	add := func(name string, data []byte, why string) {
		cases = append(cases, faulttest.Hostile{Name: name, Data: data, Why: why})
	}
	free := []string{".made_by"} // any texts
	for kind, r := range records() {
		whole := mustJSON(r)
		eachValue(whole, func(path string, v any, with func(any) []byte) {
			if kind != "mlp" && !strings.HasPrefix(path, ".model") {
				return // as in the first
			}
			other := any("text")
			switch v.(type) {
			case string:
				other = 12.5
			case map[string]any:
				other = []any{1}
			case []any:
				other = map[string]any{"a": 1}
			}
			add(kind+path+" of another kind", with(other), "JSON")
			if fields, ok := v.(map[string]any); ok && !slices.Contains(free, path) {
				for key, value := range fields {
					capital := make(map[string]any)
					for k, e := range fields {
						if k != key {
							capital[k] = e
						}
					}
					capital[strings.ToUpper(key)] = value
					add(kind+path+" with "+key+" in capitals", with(capital), "is written")
				}
			}
		})
		for _, key := range []string{"format", "kind", "model", "dataset", "training", "made_by", "seed", "step"} {
			twice := strings.Replace(string(whole), `"`+key+`":`, `"`+key+`":0,"`+key+`":`, 1)
			if kind == "mlp" {
				add(key+" twice", []byte(twice), "JSON")
			}
		}
		for field, values := range map[string]map[string][]any{
			"mlp": {"dim": {-1, -1 << 40}, "hidden_dim": {-1, 32769, 1 << 40}},
			"unet": {
				"channels": {0, -1}, "size": {0, -8, 7}, "num_channels": {0, 31, 33, -32}, "channel_mult": {[]int{0}, []int{1, -1}, []int{1, 1, 1, 1, 1}, make([]int, 21)},
				"num_res_blocks": {-1}, "num_heads": {-1, 3}, "dropout": {-0.1, 1, 2}, "num_classes": {-1, 0}, "attention_resolutions": {[]int{0}, []int{9}, []int{-1}},
			},
			"dit": {
				"channels": {0, -1}, "size": {0, -8, 7}, "patch_size": {-1, 3, 16}, "depth": {-1, 1001}, "width": {-4, 6, 1 << 16}, "num_heads": {-1, 5}, "num_classes": {-1},
			},
		}[kind] {
			for _, v := range values {
				var model map[string]any
				if err := json.Unmarshal(r.Model, &model); err != nil {
					t.Fatal(err)
				}
				model[field] = v
				changed := r
				changed.Model = mustJSON(model)
				add(fmt.Sprintf("%s %s is %v", kind, field, v), mustJSON(changed), "network")
			}
		}
	}
	r := records()["mlp"]
	text := string(mustJSON(r))
	for _, kind := range []string{"", "MLP", "mlp ", "../mlp", "resnet"} {
		r.Kind = kind
		add(fmt.Sprintf("kind %q", kind), mustJSON(r), "is not known here")
	}
	for _, number := range []string{"1e400", "9223372036854775808", "1.5", "01", "-", "0x1", "NaN", "Infinity", "1_0", "\u0661"} {
		add("a step of "+number, []byte(strings.Replace(text, `"step":12`, `"step":`+number, 1)), "JSON")
	}
	for name, b := range map[string]string{
		"nothing": "", "a word": "record", "a list": "[" + text + "]", "two": text + text, "cut": text[:len(text)-1], "a comment": text[:1] + "/**/" + text[1:],
		"single quotes": strings.ReplaceAll(text, `"`, "'"), "a mark before": "\ufeff" + text, "a NUL behind": text + "\x00", "no text": strings.Replace(text, "points", "\xff\xfe", 1),
		"a raw control character": strings.Replace(text, "points", "po\nints", 1), "half a pair": strings.Replace(text, "points", `\ud800`, 1),
		"deep": strings.Replace(text, `"made_by":{`, `"made_by":{"a":`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+",", 1),
	} {
		add(name, []byte(b), "JSON")
	}
	for _, frame := range []string{`{"middle":[0,0],"spread":[0,1]}`, `{"middle":[0,0],"spread":[1,-1]}`, `{"middle":[0],"spread":[1,1]}`, `{"middle":[0,0,0],"spread":[1,1]}`, `{"middle":[0,1e999],"spread":[1,1]}`} {
		add("frame "+frame, []byte(strings.Replace(text, `"frame":{"middle":[0,0],"spread":[1,2]}`, `"frame":`+frame, 1)), "record")
	}
	read := func(b []byte) error {
		r, err := ParseRecord(b)
		if err == nil {
			_, err = r.Network()
		}
		return err
	}
	faulttest.Corpus(t, "8 records", cases, read)

	good := 0
	for kind, r := range records() {
		for _, change := range []func(*Record){
			func(*Record) {}, func(r *Record) { r.Dataset.Frame = nil }, func(r *Record) { r.Dataset.Before = nil },
			func(r *Record) { r.Dataset.Levels *= 2 }, func(r *Record) { r.MadeBy = nil }, func(r *Record) { r.Training.Configuration.Reflow = nil },
			func(r *Record) { r.Dataset.Name = "\u00fc \u65e5\u672c" }, func(r *Record) { r.Training.Step = 0 },
		} {
			change(&r)
			if err := read(mustJSON(r)); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
			good++
		}
	}
	if good < 20 {
		t.Errorf("only %d records", good)
	}
}

// Names are shown and drawn: a record whose names a terminal would obey, or that fill a
// screen, is none of ours.
func TestNamesOfARecord(t *testing.T) {
	for what, c := range map[string]struct {
		change func(*Record)
		want   string // "": it is read
	}{
		"escapes in the set's name": {func(r *Record) { r.Dataset.Name = "\x1b]0;owned\a" }, "control characters"},
		"C1 in the set's name":      {func(r *Record) { r.Dataset.Name = "a\u009b2J" }, "control characters"},
		"letters turned":            {func(r *Record) { r.Dataset.Name = "a\u202eb" }, "control characters"},
		"a line's end":              {func(r *Record) { r.Dataset.Name = "a\nb" }, "control characters"},
		"escapes in the recipe":     {func(r *Record) { r.Training.Recipe, r.Training.Configuration.Recipe = "\x1b[31m", "\x1b[31m" }, "control characters"},
		"a set's long name":         {func(r *Record) { r.Dataset.Name = strings.Repeat("é", 301) }, "301 letters: at most 300"},
		"a class's long name":       {func(r *Record) { r.Dataset.ClassNames[3] = strings.Repeat("A", 60_000) }, "60000 letters: at most 300"},
		"what made it":              {func(r *Record) { r.MadeBy["libtorch"] = strings.Repeat("A", 60_000) }, "60000 letters: at most 300"},
		"the teacher's solver":      {func(r *Record) { r.Training.Configuration.Reflow.Solver = strings.Repeat("A", 301) }, "301 letters: at most 300"},
		"the longest names": {func(r *Record) {
			r.Dataset.Name, r.Dataset.ClassNames[3] = strings.Repeat("é", 300), strings.Repeat("ü", 300)
		}, ""},
		"a folder's name": {func(r *Record) { r.Dataset.ClassNames[3] = "a\x1b[31m" }, ""},
	} {
		r := records()["unet"]
		c.change(&r)
		switch _, err := ParseRecord(mustJSON(r)); {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", what, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || Printable(err.Error()) != err.Error() || len(err.Error()) > 500):
			t.Errorf("%s: %v, want %s", what, err, c.want)
		}
	}
}
