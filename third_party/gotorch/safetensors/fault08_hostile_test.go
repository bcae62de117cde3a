package safetensors_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"
	"github.com/wangkuiyi/gotorch/safetensors"
	"github.com/wangkuiyi/gotorch/weights"
)

// tensorA is a tensor of a header, of four bytes.
const tensorA = `"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`

// sealed is a file of that tensor with a text as its record.
func sealed(text string) []byte {
	return file(`{"__metadata__":{"flowmatch":"`+strings.ReplaceAll(text, `"`, `\"`)+`"},`+tensorA+`}`, 4)
}

// Each file of the corpus is refused for its own reason, of the kind that is named.
func TestHostileCorpus(t *testing.T) {
	const a = tensorA
	cut := file("{"+a+"}", 4)
	zeros := strings.Repeat("0", 64)
	rows := []struct {
		name string
		data []byte
		kind error
		want string
	}{
		{"empty", nil, weights.ErrDamaged, "the file is empty"},
		{"short", make([]byte, 9), weights.ErrDamaged, "too few"},
		{"zeros", make([]byte, 100), safetensors.ErrNotSafetensors, "no header at byte 8"},
		{"ZIP", append([]byte("PK\x03\x04"), make([]byte, 100)...), safetensors.ErrNotSafetensors, ".pth"},
		{"header longer than the file", cut[:20], weights.ErrDamaged, "cut off"},
		{"header of 2^64-1", append(bytes.Repeat([]byte{0xff}, 8), "{}        "...), weights.ErrDamaged, "cut off"},
		{"header over 16 MiB", file("{"+strings.Repeat(" ", 16<<20)+"}", 0), weights.ErrLimit, "at most 16777216"},
		{"data cut", cut[:len(cut)-1], weights.ErrDamaged, "cut off"},
		{"data longer", append(cut, 0), weights.ErrDamaged, "bytes were added"},
		{"no JSON", file("{a}", 0), weights.ErrDamaged, "key is expected"},
		{"array", file("[]  ", 0), safetensors.ErrNotSafetensors, "no header"},
		{"after the header", file("{"+a+"}x", 4), weights.ErrDamaged, "after the value"},
		{"NUL after the header", file("{"+a+"}\x00", 4), weights.ErrDamaged, "after the value"},
		{"duplicate name", file("{"+a+","+a+"}", 4), weights.ErrDamaged, `key "a" twice`},
		{"duplicate name by escape", file("{"+a+","+strings.Replace(a, `"a"`, `"\u0061"`, 1)+"}", 4), weights.ErrDamaged, `key "a" twice`},
		{"duplicate field", file(`{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), weights.ErrDamaged, "twice"},
		{"field in another case", file(`{"a":{"DType":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), weights.ErrDamaged, `is written "dtype"`},
		{"unknown field", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}`, 4), weights.ErrDamaged, "unknown key"},
		{"no dtype", file(`{"a":{"shape":[1],"data_offsets":[0,4]}}`, 4), weights.ErrDamaged, "missing"},
		{"null shape", file(`{"a":{"dtype":"F32","shape":null,"data_offsets":[0,4]}}`, 4), weights.ErrDamaged, "missing"},
		{"three offsets", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}`, 4), weights.ErrDamaged, "3 elements or more, not 2"},
		{"one offset", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4]}}`, 4), weights.ErrDamaged, "1 elements, not 2"},
		{"fraction", file(`{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}`, 4), weights.ErrDamaged, "JSON"},
		{"negative size", file(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4), weights.ErrDamaged, "does not fill"},
		{"sizes both negative", file(`{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}`, 4), weights.ErrDamaged, "does not fill"},
		{"overflow", file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0), weights.ErrDamaged, "does not fill"},
		{"beyond int64", file(`{"a":{"dtype":"F32","shape":[18446744073709551617],"data_offsets":[0,4]}}`, 4), weights.ErrDamaged, "JSON"},
		{"offsets swapped", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, 4), weights.ErrDamaged, "does not fill"},
		{"offset negative", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}`, 4), weights.ErrDamaged, "does not fill"},
		{"shape too small", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}`, 8), weights.ErrDamaged, "does not fill"},
		{"gap before", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), weights.ErrDamaged, "not at 0"},
		{"gap between", file(`{`+a+`,"b":{"dtype":"U8","shape":[1],"data_offsets":[5,6]}}`, 6), weights.ErrDamaged, "not at 4"},
		{"overlap", file(`{`+a+`,"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}`, 6), weights.ErrDamaged, "not at 4"},
		{"the same bytes twice", file(`{`+a+`,"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), weights.ErrDamaged, "not at 4"},
		{"gap after", file(`{`+a+`}`, 5), weights.ErrDamaged, "bytes were added"},
		{"offset beyond the file", file(`{"a":{"dtype":"U8","shape":[1099511627776],"data_offsets":[0,1099511627776]}}`, 4), weights.ErrDamaged, "cut off"},
		{"nine dimensions", file(`{"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}}`, 1), weights.ErrLimit, "9 dimensions"},
		{"unknown type", file(`{"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}`, 4), weights.ErrRefused, `the element type "f32"`},
		{"bool 2", append(file(`{"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}`, 0), 2), weights.ErrDamaged, "bool with the value 2"},
		{"metadata no strings", file(`{"__metadata__":{"a":1},`+a+`}`, 4), weights.ErrDamaged, "__metadata__"},
		{"metadata null", file(`{"__metadata__":null,`+a+`}`, 4), weights.ErrDamaged, "__metadata__"},
		{"metadata an array", file(`{"__metadata__":[],`+a+`}`, 4), weights.ErrDamaged, "__metadata__"},
		{"metadata twice", file(`{"__metadata__":{},"__metadata__":{},`+a+`}`, 4), weights.ErrDamaged, "twice"},
		{"deep", file(`{"a":`+strings.Repeat("[", 100), 0), weights.ErrDamaged, "64 levels"},
		{"newer record", sealed(`{"format":2}`), weights.ErrNewerFormat, "format 2"},
		{"record without digest", sealed(`{"format":1}`), weights.ErrDamaged, "does not end in its sha256"},
		{"record with one digest", sealed(`{"format":1,"sha256":"` + zeros + `"}`), weights.ErrDamaged, "does not end in its header_sha256"},
		{"record with wrong digests", sealed(`{"format":1,"header_sha256":"` + zeros + `","sha256":"` + zeros + `"}`), weights.ErrDamaged, "SHA-256 of the header"},
		{"record no JSON", sealed(`x`), weights.ErrDamaged, "record"},
	}
	for _, dtype := range []string{"", "F8_E4M3", "F8_E5M2", "U16", "U32", "U64", "C64", "F4", "I128", "float32", "F32 ", "\\u0000F32"} {
		rows = append(rows, struct {
			name string
			data []byte
			kind error
			want string
		}{"type " + dtype, file(`{"a":{"dtype":"`+dtype+`","shape":[1],"data_offsets":[0,4]}}`, 4), weights.ErrRefused, "the element type"})
	}
	kinds := make(map[string]error)
	var cases []faulttest.Hostile
	for _, r := range rows {
		kinds[r.name] = r.kind
		cases = append(cases, faulttest.Hostile{Name: r.name, Data: r.data, Why: r.want})
	}
	// Each field holds another kind of value.
	for field, values := range map[string][]string{
		"dtype":        {`1`, `null`, `[]`, `{}`, `true`, `["F32"]`},
		"shape":        {`1`, `"1"`, `{}`, `true`, `["1"]`, `[[1]]`, `[true]`, `[1e0]`, `[null]`, `[0.5]`},
		"data_offsets": {`4`, `"0,4"`, `{}`, `true`, `["0","4"]`, `[[0,4]]`, `[0,null]`, `[0e0,4]`, `null`, `[]`, `[0,4.5]`},
	} {
		for _, v := range values {
			text := map[string]string{"dtype": `"F32"`, "shape": `[1]`, "data_offsets": `[0,4]`}
			text[field] = v
			name := fmt.Sprintf("%s is %s", field, v)
			kinds[name] = weights.ErrDamaged
			cases = append(cases, faulttest.Hostile{
				Name: name, Why: `"a"`,
				Data: file(fmt.Sprintf(`{"a":{"dtype":%s,"shape":%s,"data_offsets":%s}}`, text["dtype"], text["shape"], text["data_offsets"]), 4),
			})
		}
	}
	i := 0 // Corpus reads them in their order
	faulttest.Corpus(t, "8 safetensors", cases, func(b []byte) error {
		_, err := parse(b)
		if kind := kinds[cases[i].Name]; !errors.Is(err, kind) {
			t.Errorf("%s: got %v, want one that is %q", cases[i].Name, err, kind)
		}
		i++
		return err
	})
}

// What is unusual but right is read.
func TestGoodCorpus(t *testing.T) {
	spaces := strings.Repeat(" ", 1000)
	one := func(dtype, shape string, size int) string {
		return fmt.Sprintf(`{"a":{"dtype":"%s","shape":%s,"data_offsets":[0,%d]}}`, dtype, shape, size)
	}
	cases := map[string][]byte{
		"no tensor":              file("{}", 0),
		"spaces at the end":      file("{"+tensorA+"}"+spaces, 4),
		"spaces between":         file("{ "+strings.ReplaceAll(tensorA, ":", " : ")+" }", 4),
		"another order":          file(`{"a":{"data_offsets":[0,4],"shape":[1],"dtype":"F32"}}`, 4),
		"a name by escapes":      file(`{"\u0061\n\"":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4),
		"no name":                file(`{"":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4),
		"foreign metadata":       file(`{"__metadata__":{"format":"pt","made by":"another"},`+tensorA+`}`, 4),
		"empty metadata":         file(`{"__metadata__":{},`+tensorA+`}`, 4),
		"metadata at the end":    file(`{`+tensorA+`,"__metadata__":{"x":"y"}}`, 4),
		"a number":               file(one("F64", "[]", 8), 8),
		"eight dimensions":       file(one("U8", "[1,1,1,1,1,1,1,1]", 1), 1),
		"nothing in a tensor":    file(one("F32", "[0]", 0), 0),
		"nothing, large":         file(one("F32", "[1000000,0,1000000]", 0), 0),
		"bytes in another order": file(`{"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}`, 8),
		"nothing in between":     file(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}`, 4),
	}
	for _, dtype := range []struct {
		name string
		size int
	}{{"F16", 2}, {"BF16", 2}, {"I64", 8}, {"I32", 4}, {"I16", 2}, {"I8", 1}, {"U8", 1}, {"BOOL", 1}} {
		cases["type "+dtype.name] = file(one(dtype.name, "[3]", 3*dtype.size), 3*dtype.size)
	}
	for name, b := range cases {
		if _, err := parse(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(cases) < 20 {
		t.Errorf("only %d files", len(cases))
	}
}
