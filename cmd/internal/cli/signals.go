package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/wangkuiyi/gotorch/atomicfile"
)

// signalled is the cause of a context that a signal ended.
type signalled struct{ signal syscall.Signal }

func (s signalled) Error() string { return s.signal.String() }

// stopOnSignal gives a context that the first signal ends: SIGINT, SIGTERM, or SIGHUP
// where that is not ignored, as it is under nohup. A second one leaves at once, but not
// SIGHUP, which a terminal that is closed sends twice.
//
// Whoever leaves so removes the files that are half written. A command that has nothing to
// save has a moment to come to its end, for not all that it does can be broken off.
//
// A pipe whose reader has gone gives an error to the writer, and no signal: it is no
// reason to stop a training.
func (c *Command) stopOnSignal() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	if os.Getenv("GOTRACEBACK") == "" { // else the runtime prints what its goroutines do
		signal.Notify(signals, syscall.SIGQUIT)
	}
	go func() {
		stopping := false
		for s := range signals {
			s := s.(syscall.Signal)
			if s == syscall.SIGQUIT || stopping && s != syscall.SIGHUP {
				leave(s)
			}
			if !stopping && !c.Saves {
				time.AfterFunc(patience, func() {
					fmt.Fprintf(os.Stderr, "%s: %v\n", c.Name, signalled{s})
					leave(s)
				})
			}
			stopping = true
			cancel(signalled{s})
		}
	}()
	return ctx
}

// patience is how long commands that save nothing have after a signal.
var patience = 3 * time.Second

func leave(s syscall.Signal) {
	atomicfile.Abandon()
	os.Exit(128 + int(s))
}

// results is the standard output. It remembers what went wrong; a reader that has gone
// wants no more, and that is nothing wrong.
type results struct {
	w    io.Writer
	gone bool
	err  error
}

func (r *results) Write(p []byte) (int, error) {
	if r.gone {
		return len(p), nil
	}
	n, err := r.w.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		r.gone = true
		return len(p), nil
	}
	if r.err == nil {
		r.err = err
	}
	return n, err
}
