package freememory

import (
	"os"
	"path/filepath"
	"testing"
)

// Containers of both versions of control groups, by the files that they see.
func TestBytesIn(t *testing.T) {
	const meminfo = "MemTotal:  100000 kB\nMemAvailable:   50000 kB\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"no container": {nil, 50000 << 10},
		"version 2": {map[string]string{
			"memory.max": "1000000\n", "memory.current": "400000\n", "memory.stat": "anon 1\nfile 9\ninactive_file 50000\n",
		}, 650000},
		"version 2 without a limit": {map[string]string{"memory.max": "max\n", "memory.current": "400000\n"}, 50000 << 10},
		"version 1": {map[string]string{
			"memory/memory.limit_in_bytes": "1000000\n", "memory/memory.usage_in_bytes": "400000\n",
			"memory/memory.stat": "cache 5\ninactive_file 7\ntotal_cache 5\ntotal_inactive_file 30000\n",
		}, 630000},
		"version 1 without a limit": {map[string]string{
			"memory/memory.limit_in_bytes": "9223372036854771712\n", "memory/memory.usage_in_bytes": "400000\n",
		}, 50000 << 10},
		"version 1, all used": {map[string]string{
			"memory/memory.limit_in_bytes": "1000\n", "memory/memory.usage_in_bytes": "1000\n",
		}, 0},
	} {
		root := t.TempDir()
		write := func(path, text string) {
			path = filepath.Join(root, path)
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		write("proc/meminfo", meminfo)
		for file, text := range c.files {
			write("sys/fs/cgroup/"+file, text)
		}
		if got := bytesIn(root); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if got := bytesIn(t.TempDir()); got != 0 {
		t.Errorf("a system that says nothing: %d", got)
	}
}

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
		if got, ok := cgroupLeft([]byte(c.limit), []byte(c.used), []byte(c.stat), "inactive_file "); got != c.want || ok != c.ok {
			t.Errorf("%+v: %d %v", c, got, ok)
		}
	}
	if Bytes() <= 0 {
		t.Error("this system has no memory")
	}
}
