// Package freememory tells how much memory there is for a program: of the machine, or of the
// container that it runs in.
package freememory

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Bytes is how many the system, or the container that the program runs in, has left for
// it. 0 means that they do not say.
func Bytes() int64 { return bytesIn("/") }

// A controller is where a version of control groups says what it allows.
type controller struct{ dir, limit, used, cache string }

var controllers = []controller{
	{"sys/fs/cgroup", "memory.max", "memory.current", "inactive_file "},
	{"sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "}, // version 1
}

// bytesIn is Bytes of a system whose files are below root.
func bytesIn(root string) int64 {
	read := func(path ...string) []byte { // what is not there is empty
		b, _ := os.ReadFile(filepath.Join(root, filepath.Join(path...)))
		return b
	}
	free := memAvailable(read("proc/meminfo"))
	for _, c := range controllers {
		left, ok := cgroupLeft(read(c.dir, c.limit), read(c.dir, c.used), read(c.dir, "memory.stat"), c.cache)
		if ok && (free == 0 || left < free) {
			free = left
		}
	}
	return free
}

// memAvailable finds "MemAvailable:  123 kB" in /proc/meminfo.
func memAvailable(meminfo []byte) int64 {
	for line := range bytes.Lines(meminfo) {
		if f := strings.Fields(string(line)); len(f) >= 2 && f[0] == "MemAvailable:" {
			kb, _ := strconv.ParseInt(f[1], 10, 64)
			return kb << 10
		}
	}
	return 0
}

// cgroupLeft is the limit less what is used, of which the file cache that can be
// dropped, after that word in stat, does not count. There is often no limit: "max", or in
// version 1 more than any machine has.
func cgroupLeft(limit, used, stat []byte, dropped string) (int64, bool) {
	number := func(b []byte) (int64, bool) {
		n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
		return n, err == nil
	}
	most, ok1 := number(limit)
	now, ok2 := number(used)
	if !ok1 || !ok2 {
		return 0, false
	}
	for line := range bytes.Lines(stat) {
		if cache, ok := bytes.CutPrefix(line, []byte(dropped)); ok {
			n, _ := number(cache)
			now -= n
		}
	}
	return max(0, most-now), true
}
