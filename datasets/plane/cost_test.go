package plane

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"
)

// A long list of points costs as much as it is long: 24 bytes of memory a point, and little more on the way.
func TestLongList(t *testing.T) {
	faulttest.Measures(t)
	const millions = 12 << 20
	for name, text := range map[string]string{
		"the shortest lines":  strings.Repeat("1,2\n", millions/4),
		"points":              strings.Repeat("0.123456,-2.345678\n", millions/19),
		"long and then short": strings.Repeat("1.00000000000000000000000,2\n", millions/4/28) + strings.Repeat("1,2\n", millions/4/4),
		"columns by spaces":   strings.Repeat("1   2\n", millions/6),
		"nothing but lines":   strings.Repeat("\n", millions),
		"notes":               strings.Repeat("# 1,2\n", millions/6),
		"one line":            strings.Repeat("1,", millions/2),
		"one column":          strings.Repeat("1\n", millions/2),
	} {
		path := filepath.Join(t.TempDir(), "a.csv")
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		faulttest.Bounded(t, name, len(text), func() { _, _ = Open("points:" + path) })
	}
	allocated := func(lines int) uint64 {
		text := bytes.Repeat([]byte("1,2\n"), lines)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if points, _, err := readCSV(bytes.NewReader(text), int64(len(text)), nil); err != nil || len(points) != 2*lines {
			t.Errorf("%d numbers of %d lines, %v", len(points), lines, err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	if one, four := allocated(100_000), allocated(400_000); four > 5*one || four > 400_000*20 {
		t.Errorf("100,000 points took %d bytes, 400,000 took %d", one, four)
	}
}
