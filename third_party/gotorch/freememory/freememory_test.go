package freememory

import "testing"

func TestMemoryLeft(t *testing.T) {
	if got := memAvailable([]byte("MemTotal:  100 kB\nMemAvailable:   12345 kB\n")); got != 12345<<10 {
		t.Errorf("available %d", got)
	}
	for _, c := range []struct {
		limit, used, stat string
		want              int64
		ok                bool
	}{
		{"max\n", "5\n", "", 0, false},
		{"", "", "", 0, false},
		{"1000\n", "400\n", "anon 1\ninactive_file 150\n", 750, true},
		{"1000\n", "1400\n", "", 0, true},
	} {
		if got, ok := cgroupLeft([]byte(c.limit), []byte(c.used), []byte(c.stat)); got != c.want || ok != c.ok {
			t.Errorf("%+v: %d %v", c, got, ok)
		}
	}
	if Bytes() <= 0 {
		t.Error("this system has no memory")
	}
}
