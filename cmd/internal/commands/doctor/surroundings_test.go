package doctor

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestThreads(t *testing.T) {
	for _, c := range []struct {
		using    int
		load     string
		omp      string
		ok       bool
		says     string
		remedies string
	}{
		{2, "0.5 0.4 0.3 1/200 77\n", "", true, "load 0.5", ""},
		{2, "", "2", true, "2 of ours on 2 cores", ""},
		{4, "", "", false, "4 of ours on 2 cores", "--threads 4"},
		{2, "3.1 0 0", "", true, "load 3.1", ""},
		{2, "3.9 0 0", "", false, "load 3.9", "other programs"},
		{2, "", "16", false, "", "OMP_NUM_THREADS is 16"},
	} {
		f := threads(c.using, 2, 3, c.load, func(name string) string {
			if name == "OMP_NUM_THREADS" {
				return c.omp
			}
			return ""
		})
		if f.OK != c.ok || !strings.Contains(f.What, c.says) || !strings.Contains(f.Remedy, c.remedies) || f.OK != (f.Remedy == "") {
			t.Errorf("%+v: %+v", c, f)
		}
	}
}

func TestRoom(t *testing.T) {
	dir := t.TempDir()
	here, ok := room(dir)
	there, ok2 := room(filepath.Join(dir, "not", "yet"))
	if !ok || !ok2 || here == 0 || there == 0 {
		t.Errorf("%d %v, %d %v", here, ok, there, ok2)
	}
}
