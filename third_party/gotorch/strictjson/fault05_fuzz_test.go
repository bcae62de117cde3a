package strictjson_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"
	"github.com/wangkuiyi/gotorch/strictjson"
)

// Whatever the strict reader takes, encoding/json takes too.
func FuzzJSON(f *testing.F) {
	var seeds [][]byte
	for _, s := range []string{`{"a":[1,-2.5e+3,"\u00e9\ud83d\ude00",{}]}`, `[]`, `null`, `"\\"`, `0`, "\t1 ", `{"a":{"a":{}}}`, strings.Repeat("[", 60)} {
		seeds = append(seeds, []byte(s))
	}
	faulttest.Seeds(f, seeds...)
	f.Fuzz(func(t *testing.T, data []byte) {
		faulttest.Within(t, len(data), 0, func() {
			if strictjson.Valid(data) == nil && !json.Valid(data) {
				t.Errorf("%q is not JSON", data)
			}
		})
	})
}
