package pth_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"
	"github.com/wangkuiyi/gotorch/pth"
)

// Large files of PyTorch's kind cost little whatever is in them.
func TestCost(t *testing.T) {
	faulttest.Measures(t)
	const most = 16 << 20
	many := func(one string) string { return strings.Repeat(one, most/len(one)) }
	entries := good()
	for i := range 60_000 {
		entries.add(fmt.Sprint("archive/extra/", i), "")
	}
	names := checkpoint("\x80\x02" + "}(" + func() string {
		var b strings.Builder
		for i := range 200_000 {
			fmt.Fprintf(&b, "%sK\x01", str(fmt.Sprintf("a name of a tensor, number %06d", i)))
		}
		return b.String()
	}() + "u.")
	record := good()
	record.add("archive/extra/flowmatch.json", `{"format":1,"kind":"`+many("x")+`"}`)
	nested := good()
	nested.add("archive/extra/flowmatch.json", many("["))
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"a pickle of Nones", checkpoint("\x80\x02](" + many("N") + "e.").bytes()},
		{"a pickle of brackets", checkpoint("\x80\x02" + many("](") + ".").bytes()},
		{"a pickle of memos", checkpoint("\x80\x02N" + many("q\x00") + ".").bytes()},
		{"a pickle of long texts", checkpoint("\x80\x02(" + strings.Repeat("X\xff\xff\x00\x00"+strings.Repeat("a", 65535), 250) + "t.").bytes()},
		{"a pickle of many names", names.bytes()},
		{"a tensor read in columns again and again", checkpoint("\x80\x02(" + strings.Repeat(vector, 20_000) + "t.").bytes()},
		{"many records", entries.bytes()},
		{"a large record", record.bytes()},
		{"a record of brackets", nested.bytes()},
	} {
		faulttest.Bounded(t, c.name, len(c.data), func() {
			_, err := pth.Reader{}.ReadValueFrom(bytes.NewReader(c.data), int64(len(c.data)))
			if err != nil && len(err.Error()) > 1000 {
				t.Errorf("%s: %.2000s", c.name, err)
			}
		})
	}
}
