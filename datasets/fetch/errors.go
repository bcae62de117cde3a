package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"
)

// Error says that no address gave the file.
type Error struct {
	Path  string
	Tried []Attempt // the last attempt at each address, in their order
}

// Attempt is how one address failed.
type Attempt struct {
	URL string
	Err error
}

func (e *Error) Error() string {
	why := make([]string, len(e.Tried))
	for i, a := range e.Tried {
		why[i] = host(a.URL) + ": " + a.Err.Error()
	}
	return strings.Join(why, "; ")
}

func (e *Error) Unwrap() []error {
	errs := make([]error, len(e.Tried))
	for i, a := range e.Tried {
		errs[i] = a.Err
	}
	return errs
}

// Offline says that no address could even be reached.
func (e *Error) Offline() bool {
	for _, a := range e.Tried {
		var op *net.OpError
		var dns *net.DNSError
		if !errors.As(a.Err, &op) && !errors.As(a.Err, &dns) {
			return false
		}
	}
	return len(e.Tried) > 0
}

// The ways in which a server fails. Only errBroken is worth another try at once.
var (
	errBroken   = errors.New("the connection broke")
	errChecksum = errors.New("it gave another file: the SHA-256 is wrong")
	errWebPage  = errors.New("it gave a web page instead of the file")
)

// stalledError is a server that says nothing.
type stalledError struct{ after time.Duration }

func (e stalledError) Error() string { return fmt.Sprintf("no byte for %v", e.after) }

// lengthError is a file that is not as long as the one wanted.
type lengthError struct{ got, want int64 }

func (e lengthError) Error() string {
	if e.got > e.want {
		return fmt.Sprintf("it gave another file: longer than %d bytes", e.want)
	}
	return fmt.Sprintf("it gave another file: %d bytes of %d", e.got, e.want)
}

// diskError is a fault of our own disk: other addresses do not help.
type diskError struct{ err error }

func (e diskError) Error() string { return e.err.Error() }
func (e diskError) Unwrap() error { return e.err }

// onDisk marks err, if there is one, as the disk's and names operation and path once.
func onDisk(operation, path string, err error) error {
	if err == nil {
		return nil
	}
	var pe *os.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe):
		err = pe.Err
	case errors.As(err, &le):
		err = le.Err
	}
	return diskError{fmt.Errorf("%s %s: %w", operation, path, err)}
}

// plain strips the address from what net/http says: Error names the host.
func plain(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return err
}

// reason is what ended a request: the context's cause where it was that.
func reason(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return plain(err)
}

func host(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return address
}
