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
// SIGHUP, which a terminal that is closed sends twice, nor the same again within a moment:
// timeout sends its signal to the process and then to the whole group.
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
		var first syscall.Signal
		var since time.Time
		for s := range signals {
			s := s.(syscall.Signal)
			switch {
			case s == syscall.SIGQUIT:
				leave(s)
			case first == 0:
				first, since = s, time.Now()
				cancel(signalled{s})
				if !c.Saves {
					time.AfterFunc(patience, func() {
						fmt.Fprintf(os.Stderr, "%s: %v\n", c.Name, signalled{s})
						leave(s)
					})
				}
			case s != syscall.SIGHUP && (s != first || time.Since(since) > moment):
				leave(s)
			}
		}
	}()
	return ctx
}

// moment is how long a signal that comes again counts as one: longer than a busy machine
// takes to deliver both, shorter than a person takes to see that nothing happens.
const moment = 500 * time.Millisecond

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
