package safetensors_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"
)

// A header of 16 MiB, which is the most that is read, costs little whatever is in it.
func TestCost(t *testing.T) {
	faulttest.Measures(t)
	const most = 16<<20 - 200
	many := func(one string) string { return strings.Repeat(one, most/len(one)) }
	var keys, tensors strings.Builder
	for i := 0; keys.Len() < most; i++ {
		fmt.Fprintf(&keys, `"%d":"",`, i)
	}
	for i := 0; tensors.Len() < most; i++ {
		fmt.Fprintf(&tensors, `"%d":{"dtype":"U8","shape":[],"data_offsets":[%d,%d]},`, i, i, i+1)
	}
	dims := many("1,")
	const good = "a name may be as long"
	for _, c := range []struct{ name, header string }{
		{"8 million dimensions", `{"a":{"dtype":"U8","shape":[` + dims + `1],"data_offsets":[0,1]}}`},
		{"as many offsets", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[` + dims + `1]}}`},
		{"dimensions of brackets", `{"a":{"dtype":"U8","shape":[` + many("[") + `],"data_offsets":[0,1]}}`},
		{"a key of our own", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":[` + dims + `1]}}`},
		{good, `{"` + many("a") + `":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`},
		{good + ", escaped", `{"` + many(`\u0061`) + `":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`},
		{"a long type", `{"a":{"dtype":"` + many("U") + `","shape":[1],"data_offsets":[0,1]}}`},
		{"metadata of many keys", `{"__metadata__":{` + keys.String() + `"a":""}}`},
		{"metadata of one long text", `{"__metadata__":{"a":"` + many("b") + `"}}`},
		{"metadata that is nested", `{"__metadata__":` + many("[") + `}`},
		{"our record, with nothing but brackets", `{"__metadata__":{"flowmatch":"` + many("[") + `"}}`},
		{"our record, of many keys", `{"__metadata__":{"flowmatch":"{` + strings.ReplaceAll(keys.String()[:most/2], `"`, `\"`) + `}"}}`},
		{"tensors of one byte", `{` + strings.TrimSuffix(tensors.String(), ",") + `}`},
		{"one key again and again", `{` + many(`"a":{},`) + `"a":{}}`},
		{"nothing but spaces", `{` + many(" ") + `}`},
		{"one long number", `{"a":{"dtype":"U8","shape":[` + many("1") + `],"data_offsets":[0,1]}}`},
	} {
		b := binary.LittleEndian.AppendUint64(nil, uint64(len(c.header)))
		b = append(append(b, c.header...), 0)
		faulttest.Bounded(t, c.name, len(b), func() {
			_, err := parse(b)
			if refused := err != nil; refused == strings.HasPrefix(c.name, good) {
				t.Errorf("%s: %v", c.name, err)
			}
			if err != nil && len(err.Error()) > 1000 {
				t.Errorf("%s: %.2000s", c.name, err)
			}
		})
	}
}
