package cli

import (
	"errors"
	"io"
	"syscall"
)

// results is the standard output. What goes wrong there stops no command, which may have
// trained for days: it is remembered, and is a failure at the end. A reader that has gone
// wants no more, and that is nothing wrong.
type results struct {
	w    io.Writer
	gone bool
	err  error // the first
}

// Unwrap is the terminal or file under it.
func (r *results) Unwrap() io.Writer { return r.w }

func (r *results) Write(p []byte) (int, error) {
	if r.gone || r.err != nil {
		return len(p), nil
	}
	_, err := r.w.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		r.gone = true
	} else {
		r.err = err
	}
	return len(p), nil
}

// closed is a standard output that was closed before the program began.
type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errors.New("standard output is closed") }
