package doctor

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"flowmatch/cmd/internal/terminal"
)

// training is room for a small training beside what this program has mapped by now: of the
// addresses threads' stacks and allocators' arenas count whole, however little of them is used.
const training = 1 << 30

// limit tells of a limit to what a process may map, as by ulimit -v: of the most, by a shell's
// command, so many bytes are mapped by now. It ends a program that uses much less, and is not
// seen in what memory is free.
func limit(most uint64, command string, mapped uint64) finding {
	f := finding{Name: "limit", OK: mapped+training <= most,
		What: fmt.Sprintf("%s lets a program map %s; libtorch takes %s of them", command, terminal.Bytes(int64(most)), terminal.Bytes(int64(mapped)))}
	if !f.OK {
		f.Remedy = fmt.Sprintf("training may end for want of memory: say %s unlimited, or %d at least", command, (mapped+training)>>10)
	}
	return f
}

// mapped is what counts for a limit of this process, 0 where nobody says.
func mapped(command string) uint64 {
	b, _ := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(b))
	at := 0 // all addresses
	if command == "ulimit -d" {
		at = 5 // data and stack
	}
	if at >= len(fields) {
		return 0
	}
	pages, err := strconv.ParseUint(fields[at], 10, 64)
	if err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize())
}
