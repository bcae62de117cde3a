package gotorch

import (
	"os"
	"strings"
)

// CPUFlags is what /proc/cpuinfo says the processor can do.
func CPUFlags() []string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(b)) {
		if name, list, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "flags" {
			return strings.Fields(list)
		}
	}
	return nil
}
