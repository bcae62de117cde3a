package doctor

import (
	"strings"
	"testing"
)

func TestLimit(t *testing.T) {
	for _, c := range []struct {
		most, mapped uint64
		ok           bool
		says         string
	}{
		{2000000 << 10, 1500 << 20, false, "training may end for want of memory: say ulimit -v unlimited, or 2584576 at least"}, // (1500 + 1024) * 1024
		{2584576 << 10, 1500 << 20, true, "ulimit -v lets a program map 2.6 GB; libtorch takes 1.6 GB"},
	} {
		f := limit(c.most, "ulimit -v", c.mapped)
		if f.OK != c.ok || !strings.Contains(f.What+"\n"+f.Remedy, c.says) {
			t.Errorf("%d of %d: %+v, want %s", c.mapped, c.most, f, c.says)
		}
	}
	all, data := mapped("ulimit -v"), mapped("ulimit -d")
	if data == 0 || all <= data {
		t.Errorf("%d mapped, %d of data", all, data)
	}
}
