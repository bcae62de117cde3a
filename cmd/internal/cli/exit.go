package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/supervise" // of every command

	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
	"flowmatch/trainer"
)

// Exit statuses.
const (
	OK          = 0
	Failed      = 1 // in the world: files, network, libraries
	WrongUse    = 2
	Diverged    = 3
	OutOfMemory = supervise.ExhaustedStatus
	CheckFailed = 5
)

// UsageError is wrong use, which can be told from the command line and the
// checkpoint's record.
type UsageError struct{ Msg string }

func (e *UsageError) Error() string { return e.Msg }

// Usagef makes a UsageError.
func Usagef(format string, args ...any) error { return &UsageError{fmt.Sprintf(format, args...)} }

// AsUsage makes err, unless it is nil, a UsageError.
func AsUsage(err error) error {
	if err == nil {
		return nil
	}
	return &UsageError{inFlags(err)}
}

// Main runs a command and exits with its status. The first signal ends the context.
func Main(c *Command) {
	env := Env{os.Args[1:], os.Stdout, os.Stderr}
	if supervise.OutputClosed() {
		env.Stdout = closed{}
	}
	exe, _ := os.Executable() // it may be gone
	caller = callerOf(c.Name, startedAs, os.Args[0], exe)
	os.Exit(c.Status(c.stopOnSignal(), env))
}

// Status runs the command, prints what went wrong, and gives the exit status. Results
// that could not be written, to a full disk or a closed output, are a failure of their
// own, but stop nothing: what the command does is done.
func (c *Command) Status(ctx context.Context, env Env) int {
	out := &results{w: env.Stdout}
	env.Stdout = out
	err := Guard(func() error { return c.Execute(ctx, env) })
	if out.err != nil && err == nil {
		err = fmt.Errorf("the results were not written: %w", out.err)
	}
	return c.Report(env.Stderr, err)
}

// Guard runs f and turns a panic into an error: of tensor maths into its own,
// any other into one line. Nobody sees a trace who has not set
// GOTORCH_TRACE=1.
func Guard(f func() error) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if e, ok := p.(error); ok && (as[*torch.Error](e) || as[*torch.ReleasedError](e)) {
			err = e
			return
		}
		err = fmt.Errorf("internal error: %v; please report it, with GOTORCH_TRACE=1 set", p)
		if os.Getenv("GOTORCH_TRACE") == "1" {
			err = fmt.Errorf("%w\n%s", err, debug.Stack())
		}
	}()
	return f()
}

func as[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

// Report prints err in one line, on a terminal broken between words, and gives the exit status.
func (c *Command) Report(w io.Writer, err error) int {
	if err == nil {
		return OK
	}
	status := Status(err)
	msg := oneLine(Text(err))
	var te *torch.Error
	switch {
	case status == OutOfMemory:
		msg += "; " + c.lessMemory(err)
	case errors.As(err, &te):
		msg = "libtorch: " + msg
	}
	if status == WrongUse {
		msg += " (see " + c.Name + " --help)"
	}
	terminal.Say(w, c.Name+": "+msg)
	return status
}

// lessMemory is what can be done where memory is exhausted.
func (c *Command) lessMemory(err error) string {
	allow := ""
	if n, command := supervise.Limit(); command != "" {
		allow = fmt.Sprintf("allow more than %d MiB (%s)", n>>20, command)
	}
	var te *torch.Error
	opening := errors.As(err, &te) && te.Op == torch.Opening
	switch {
	case opening && allow == "":
		return "end other programs"
	case opening:
		return allow
	case allow != "":
		return "try " + c.smaller(err) + ", or " + allow
	}
	return "try " + c.smaller(err)
}

// smaller is a way to need less memory.
func (c *Command) smaller(err error) string {
	var m *trainer.MemoryError
	if errors.As(err, &m) && m.Fits > 0 {
		s := fmt.Sprintf("--batch-size %d", m.Fits)
		if n := (m.Batch + m.Fits - 1) / m.Fits; n <= 64 {
			s += fmt.Sprintf(", with --accumulate %d for steps of as many samples", n)
		}
		return s
	}
	if errors.As(err, &m) && m.None {
		return "a smaller network (--num-channels, --num-res-blocks), smaller pictures, or --device cpu"
	}
	if c.LessMemory != "" {
		return c.LessMemory
	}
	return "a smaller --batch-size"
}

// Status is the exit status of an error.
func Status(err error) int {
	var s signalled
	var te *torch.Error
	switch {
	case errors.As(err, &s):
		return 128 + int(s.signal)
	case as[*UsageError](err), as[*datasets.UnknownError](err), as[*trainer.WeightsError](err):
		return WrongUse
	case as[*trainer.DivergedError](err):
		return Diverged
	case errors.As(err, &te) && te.OutOfMemory:
		return OutOfMemory
	case as[*CheckError](err):
		return CheckFailed
	}
	return Failed
}

// CheckError is a check or comparison that failed.
type CheckError struct{ Msg string }

func (e *CheckError) Error() string { return e.Msg }

const longestLine = 2000

func oneLine(s string) string {
	if os.Getenv("GOTORCH_TRACE") == "1" {
		return s
	}
	s = trainer.Printable(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; "))
	if len(s) > longestLine { // what a file holds may be in it
		s = strings.ToValidUTF8(s[:longestLine*3/4], "") + " ... " + strings.ToValidUTF8(s[len(s)-longestLine/4:], "")
	}
	return s
}
