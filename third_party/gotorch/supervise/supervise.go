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

// Limit is the number of bytes of memory that the process may map, of whatever kind; false where there is no limit.
func Limit() (bytes uint64, limited bool) {
	bytes = ^uint64(0)
	for _, resource := range []int{syscall.RLIMIT_AS, syscall.RLIMIT_DATA} {
		var l syscall.Rlimit
		if syscall.Getrlimit(resource, &l) == nil {
			bytes = min(bytes, l.Cur)
		}
	}
	return bytes, bytes != ^uint64(0)
}
