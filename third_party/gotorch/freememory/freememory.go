// Package freememory tells how much memory there is for a program: of the machine, or of the
// container that it runs in.
package freememory

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

// Bytes is how many the system, or the container that the program runs in, has left for
// it. 0 means that they do not say.
func Bytes() int64 {
	info, _ := os.ReadFile("/proc/meminfo")
	free := memAvailable(info)
	limit, _ := os.ReadFile("/sys/fs/cgroup/memory.max")
	used, _ := os.ReadFile("/sys/fs/cgroup/memory.current")
	stat, _ := os.ReadFile("/sys/fs/cgroup/memory.stat")
	if left, ok := cgroupLeft(limit, used, stat); ok && (free == 0 || left < free) {
		free = left
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
// dropped does not count. There is often no limit: "max".
func cgroupLeft(limit, used, stat []byte) (int64, bool) {
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
		if cache, ok := bytes.CutPrefix(line, []byte("inactive_file ")); ok {
			n, _ := number(cache)
			now -= n
		}
	}
	return max(0, most-now), true
}
