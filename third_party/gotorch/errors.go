package gotorch

// #include <stdlib.h>
import "C"

import (
	"fmt"
	"os"
	"strings"
	"unsafe"
)

// Error is what an operation panics with.
type Error struct {
	Op          string // the operation, "Conv2d", for who programs; Error does not say it
	Msg         string // libtorch's message, without its stack trace
	OutOfMemory bool   // memory of the CPU or of a GPU was exhausted
}

// Error is the message: an operation's name says nothing to who uses a program. With
// GOTORCH_TRACE=1 it is there.
func (e *Error) Error() string {
	if os.Getenv("GOTORCH_TRACE") == "1" {
		return e.Op + ": " + e.Msg
	}
	return e.Msg
}

// ReleasedError is what using a tensor panics with after its end.
type ReleasedError struct{}

func (*ReleasedError) Error() string {
	return "gotorch: a tensor was used after Close or after its scope had ended; Keep moves a tensor out of a scope"
}

// Try runs f and returns the *Error or *ReleasedError that f panicked with.
// Other panics go on.
func Try(f func()) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case *Error:
			err = p
		case *ReleasedError:
			err = p
		default:
			panic(p)
		}
	}()
	f()
	return nil
}

// The first letter of a message of the C++ part (cgotorch/message.h); any other
// one says that memory was exhausted.
const (
	somethingElse = 'E'
	staticText    = 'm' // memory was exhausted, and there was none for the text
)

// take turns a message of the C++ part into an *Error and frees it.
func take(op string, msg *C.char) *Error {
	s := C.GoString(msg)
	release(msg)
	// libtorch ends some messages with an empty line.
	return &Error{Op: op, OutOfMemory: s[0] != somethingElse, Msg: strings.TrimSpace(s[1:])}
}

func release(msg *C.char) {
	if *msg != staticText {
		C.free(unsafe.Pointer(msg))
	}
}

// fail ends an operation that is not tried again. Where memory was exhausted,
// what nobody uses is given back first, so that the caller can go on.
func fail(op string, msg *C.char) {
	e := take(op, msg)
	if e.OutOfMemory {
		reclaim()
	}
	panic(e)
}

func check(op string, msg *C.char) {
	if msg != nil {
		fail(op, msg)
	}
}

func failf(op, format string, args ...any) {
	panic(&Error{Op: op, Msg: fmt.Sprintf(format, args...)})
}
