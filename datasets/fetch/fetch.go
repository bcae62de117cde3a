package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"github.com/wangkuiyi/gotorch/atomicfile"
	"github.com/wangkuiyi/gotorch/disk"
	"github.com/wangkuiyi/gotorch/regular"
)

// Wanted is a file and where it may be had.
type Wanted struct {
	URLs   []string // tried in this order
	Size   int64    // bytes
	SHA256 string   // in hex
}

// Options says how to fetch. The zero value is good.
type Options struct {
	// Client sends the requests; default one like http.DefaultClient. Its
	// CheckRedirect is replaced.
	Client *http.Client

	// StallTimeout is how long an address may say nothing, connecting included,
	// before the next one is tried; default 30 s.
	StallTimeout time.Duration

	// Progress is called as bytes arrive, with those that are there and those of
	// the whole file. The first number may fall. It may be nil.
	Progress func(done, total int64)

	// Note is told in a line of each address that failed. It may be nil.
	Note func(line string)

	pause time.Duration // before going on after trouble; default 1 s, or a tenth of StallTimeout if less
}

const (
	rounds        = 4  // over all addresses, each after the first only if the last one gained bytes
	breaks        = 10 // of the connection to one address in a round
	defaultStall  = 30 * time.Second
	longestPause  = time.Second
	partialEnding = ".part"
)

// Partial is the file in which the bytes for path are gathered.
func Partial(path string) string { return path + partialEnding }

// File puts the wanted file at path, replacing what is there: a regular file, links
// followed, or nothing yet. The package comment
// says how. The error is an [*Error] where the addresses failed, the cause of ctx
// where that ended, and otherwise one of the disk that names operation and path.
func File(ctx context.Context, path string, want Wanted, opts Options) error {
	path, err := atomicfile.Target(path) // links stay
	if err != nil {
		return diskError{err}
	}
	part, have, err := disk.Update(Partial(path))
	if errors.Is(err, regular.ErrNotRegular) {
		err = errors.New("it is there and no regular file")
	}
	if err != nil {
		return onDisk("create", Partial(path), err)
	}
	defer part.Close()
	d := &download{path: path, want: want, opts: opts, part: part, have: have, client: client(opts.Client)}
	if d.opts.StallTimeout <= 0 {
		d.opts.StallTimeout = defaultStall
	}
	if d.opts.pause <= 0 {
		d.opts.pause = min(longestPause, d.opts.StallTimeout/10)
	}
	if d.have > d.want.Size { // an earlier run's, of something else
		if err := d.restart(); err != nil {
			return err
		}
	}
	if err := d.gather(ctx); err != nil {
		if d.have == 0 {
			_ = disk.Remove(Partial(path)) // it would only puzzle people
		}
		return err
	}
	return d.finish()
}

// client is c, or a plain one, that follows no redirect from https to http.
func client(c *http.Client) *http.Client {
	if c == nil {
		c = &http.Client{}
	}
	own := *c
	own.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		switch {
		case len(via) >= 10:
			return errors.New("it redirects without end")
		case req.URL.Scheme != "https" && via[len(via)-1].URL.Scheme == "https":
			return fmt.Errorf("it redirects from https to %s", req.URL.Scheme)
		}
		return nil
	}
	return &own
}

// download is one file on its way.
type download struct {
	path   string
	want   Wanted
	opts   Options
	client *http.Client

	part disk.Updater
	have int64  // bytes in part
	from string // the one address that they came from; "" for several or an earlier run
	etag string // of the file at from
}

// restart throws the bytes away.
func (d *download) restart() error {
	d.have, d.from, d.etag = 0, "", ""
	return onDisk("truncate", Partial(d.path), d.part.Truncate(0))
}

// gather goes over the addresses until all bytes are there and right.
func (d *download) gather(ctx context.Context) error {
	failed := make([]error, len(d.want.URLs))
	struck := make([]bool, len(d.want.URLs))
	for round := range rounds {
		gained := false
		for i, url := range d.want.URLs {
			if struck[i] {
				continue
			}
			before := d.have
			err := d.visit(ctx, url)
			if err == nil {
				return nil
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			var own diskError
			if errors.As(err, &own) { // other addresses will not help
				return err
			}
			failed[i] = err
			struck[i] = errors.Is(err, errChecksum)
			gained = gained || d.have > before
			d.note("%s: %v", host(url), err)
		}
		// Where nothing moved another round would be the same, but for a moment's
		// trouble, for which there is one more.
		if slices.Index(struck, false) < 0 || round > 0 && !gained {
			break
		}
		if err := pause(ctx, d.opts.pause); err != nil {
			return err
		}
	}
	e := &Error{Path: d.path}
	for i, url := range d.want.URLs {
		e.Tried = append(e.Tried, Attempt{url, failed[i]})
	}
	return e
}

// visit gathers the rest from one address. Nil means that the file is whole and
// right.
func (d *download) visit(ctx context.Context, url string) error {
	broken, stuck, furthest := 0, 0, d.have
	for {
		if d.have < d.want.Size {
			err := d.request(ctx, url)
			if err == errBroken {
				broken++
				if d.have <= furthest { // it ends there, or cannot resume
					stuck++
				}
				furthest = max(furthest, d.have)
				if broken < breaks && stuck < 2 {
					if err := pause(ctx, d.opts.pause); err != nil {
						return err
					}
					continue
				}
			}
			if err != nil {
				return err
			}
		}
		right, err := d.verify(ctx)
		if right || err != nil {
			return err
		}
		// Whose fault is it? Only bytes of one address alone can tell.
		alone := d.from == url
		if err := d.restart(); err != nil {
			return err
		}
		if alone {
			return errChecksum
		}
		d.note("the bytes gathered so far are wrong: starting again")
	}
}

// verify reads the bytes back from the disk.
func (d *download) verify(ctx context.Context) (bool, error) {
	if err := onDisk("fsync", Partial(d.path), d.part.Sync()); err != nil {
		return false, err
	}
	got, err := SHA256(ctx, io.NewSectionReader(d.part, 0, d.want.Size))
	if ctx.Err() != nil {
		return false, err
	}
	return got == d.want.SHA256, onDisk("read", Partial(d.path), err)
}

// SHA256 is the checksum in hex of all that r has. It stops with ctx.
func SHA256(ctx context.Context, r io.Reader) (string, error) {
	sum := sha256.New()
	buf := make([]byte, 256<<10)
	for {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		n, err := r.Read(buf)
		sum.Write(buf[:n])
		if err == io.EOF {
			return hex.EncodeToString(sum.Sum(nil)), nil
		}
		if err != nil {
			return "", err
		}
	}
}

// finish gives the file, which is on the disk already, its name.
func (d *download) finish() error {
	dir, err := disk.OpenDir(filepath.Dir(d.path))
	if err != nil {
		return onDisk("open the folder of", d.path, err)
	}
	defer dir.Close()
	if err := disk.Rename(Partial(d.path), d.path); err != nil {
		return onDisk("rename to", d.path, err)
	}
	return onDisk("fsync the folder of", d.path, dir.Sync())
}

func (d *download) note(format string, args ...any) {
	if d.opts.Note != nil {
		d.opts.Note(filepath.Base(d.path) + ": " + fmt.Sprintf(format, args...))
	}
}

func (d *download) progress() {
	if d.opts.Progress != nil {
		d.opts.Progress(d.have, d.want.Size)
	}
}
