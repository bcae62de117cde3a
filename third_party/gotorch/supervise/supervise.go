package supervise

// #cgo CFLAGS: -O2 -Wall
// #include "supervise.h"
import "C"

import (
	"os"
	"syscall"
)

// ExhaustedStatus is the exit status of a program that ended for want of memory.
const ExhaustedStatus = 4

// lastWords is descriptor 2, which the collector would close if nobody held it.
var lastWords = os.Stderr

func init() {
	if fd := int(C.supervise_stderr); fd >= 0 {
		os.Stderr = os.NewFile(uintptr(fd), os.Stderr.Name())
	}
}

// Limit is the number of bytes of memory that the process may map, and the shell's command that sets it; "" where there is no
// limit.
func Limit() (bytes uint64, command string) {
	bytes = ^uint64(0)
	for _, kind := range []struct {
		resource int
		command  string
	}{{syscall.RLIMIT_AS, "ulimit -v"}, {syscall.RLIMIT_DATA, "ulimit -d"}} {
		var l syscall.Rlimit
		if syscall.Getrlimit(kind.resource, &l) == nil && l.Cur < bytes {
			bytes, command = l.Cur, kind.command
		}
	}
	return bytes, command
}

// OutputClosed tells whether the program began without a standard output. Go's runtime has put the null device in its
// place by the first line of any program, so that what is written there is lost without a word.
func OutputClosed() bool { return C.supervise_output_closed != 0 }
