package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
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
// SIGQUIT leaves at once, with its own status as others. Where GOTRACEBACK asks for traces
// it says before what all goroutines do; where that asks for a core the runtime makes it.
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
	traced := true
	switch os.Getenv("GOTRACEBACK") {
	case "", "none", "0", "single":
		traced = false
		fallthrough
	default:
		signal.Notify(signals, syscall.SIGQUIT)
	case "crash":
	}
	go func() {
		var first syscall.Signal
		var since time.Time
		for s := range signals {
			s := s.(syscall.Signal)
			switch {
			case s == syscall.SIGQUIT:
				if traced {
					os.Stderr.Write(stacks())
				}
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

// stacks is what all goroutines do.
func stacks() []byte {
	for b := make([]byte, 1<<16); ; b = make([]byte, 2*len(b)) {
		if n := runtime.Stack(b, true); n < len(b) {
			return b[:n]
		}
	}
}
