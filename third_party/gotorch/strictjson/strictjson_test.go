package strictjson_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/strictjson"
)

type model struct {
	Format int     `json:"format"`
	Shape  [2]int  `json:"shape"`
	Rate   float64 `json:"rate,omitempty"`
	Inner  *struct {
		Name string `json:"name"`
	} `json:"inner"`
	Raw  json.RawMessage `json:"raw"`
	List []int           `json:"list"`
}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "ends too early"},
		{"two values", "{} {}", "after the value"},
		{"duplicate key", `{"a":1,"a":2}`, `key "a" twice`},
		{"duplicate key by escape", `{"a":1,"\u0061":2}`, `key "a" twice`},
		{"nested duplicate", `{"raw":[{"a":1,"a":2}]}`, `key "a" twice`},
		{"other case", `{"Format":1}`, `is written "format"`},
		{"other case inside", `{"inner":{"NAME":"x"}}`, `is written "name"`},
		{"short array", `{"shape":[1]}`, "1 elements, not 2"},
		{"long array", `{"shape":[1,2,3]}`, "3 elements or more, not 2"},
		{"null number", `{"format":null}`, "null for a int"},
		{"wrong type", `{"format":"1"}`, "JSON: json:"},
		{"fraction", `{"format":1.5}`, "JSON: json:"},
		{"deep", strings.Repeat("[", 65) + strings.Repeat("]", 65), "more than 64 levels"},
		{"bad UTF-8", "{\"raw\":\"\xff\"}", "not UTF-8"},
		{"half surrogate", `{"raw":"\ud800"}`, "surrogate"},
		{"two high surrogates", `{"raw":"\ud800\ud800"}`, "surrogate"},
		{"control character", "{\"raw\":\"\n\"}", "control character"},
		{"escape", `{"raw":"\x"}`, "escape"},
		{"leading zero", `{"rate":01}`, "comma or }"},
		{"bare minus", `{"rate":-}`, "digit"},
		{"bare point", `{"rate":1.}`, "digit"},
		{"NaN", `{"rate":NaN}`, "value is expected"},
		{"trailing comma", `{"rate":1,}`, "key is expected"},
		{"trailing comma in array", `[1,]`, "value is expected"},
		{"unclosed", `{"rate":1`, "comma or }"},
		{"comment", `{/**/}`, "key is expected"},
		{"NUL", "{}\x00", "after the value"},
		{"long number", `{"rate":` + strings.Repeat("1", 401) + `}`, "more than 400 characters"},
		{"long slice", `{"list":[` + strings.Repeat("1,", 100_000) + `1]}`, "more than 100000 elements"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var v model
			err := strictjson.Unmarshal([]byte(c.text), &v)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want ...%s...", err, c.want)
			}
		})
	}
}

func TestTooMany(t *testing.T) {
	text := []byte(`{"a":1,"b":{"x":1,"y":2,"z":3}}`)
	if _, err := strictjson.Object(text, 2); err != nil {
		t.Error(err)
	}
	if _, err := strictjson.Object(text, 1); !errors.Is(err, strictjson.ErrTooMany) {
		t.Errorf("got %v", err)
	}
}

func TestUnknownKeys(t *testing.T) {
	text := []byte(`{"format":1,"new":{"x":[true,false,null]}}`)
	var v model
	if err := strictjson.Unmarshal(text, &v); err != nil || v.Format != 1 {
		t.Errorf("got %v, format %d", err, v.Format)
	}
	if err := strictjson.UnmarshalKnown(text, &v); err == nil || !strings.Contains(err.Error(), `unknown key "new"`) {
		t.Errorf("got %v", err)
	}
}

func ExampleUnmarshal() {
	var v struct {
		Format int `json:"format"`
	}
	fmt.Println(strictjson.Unmarshal([]byte(`{"format":1,"format":2}`), &v))
	fmt.Println(strictjson.Unmarshal([]byte(`{"Format":1}`), &v))
	fmt.Println(strictjson.Unmarshal([]byte(`{"format":1}`), &v), v.Format)
	// Output:
	// JSON: byte 20: key "format" twice
	// JSON: byte 9: key "Format" is written "format"
	// <nil> 1
}

func ExampleObject() {
	members, _ := strictjson.Object([]byte(`{"b": 1, "a": [2, 3]}`), 10)
	for _, m := range members {
		fmt.Printf("%s=%s\n", m.Name, m.Value)
	}
	// Output:
	// b=1
	// a=[2, 3]
}
