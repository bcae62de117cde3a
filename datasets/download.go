package datasets

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/wangkuiyi/gotorch/atomicfile"
	"github.com/wangkuiyi/gotorch/disk"

	"flowmatch/datasets/fetch"
	"flowmatch/datasets/internal/userfile"
)

// DownloadOptions says how to download. The zero value is good.
type DownloadOptions struct {
	Client       *http.Client  // default one like http.DefaultClient, which follows HTTPS_PROXY
	StallTimeout time.Duration // without a byte until the next mirror is tried; default 30 s

	// Mirrors are addresses to take instead of the public ones: the name of a file
	// is put behind them. What they give is checked like that of any other.
	Mirrors []string

	// Progress is called as bytes arrive, with those that are there and those of
	// all that is missing. The first number may fall. It may be nil.
	Progress func(done, total int64)

	// Note is told, in a line each, what is out of the ordinary: a mirror that
	// failed, another process that is waited for. It may be nil.
	Note func(line string)
}

// Downloadable says that [Download] knows where to get the set.
func Downloadable(name string) bool { return published(name) != nil }

// Missing says that files of the set are not in dataDir and [Download] would fetch
// them. Only their names are looked at: what the user put there is left alone. It is
// false for sets that need no files or cannot be downloaded.
func Missing(name, dataDir string) bool {
	p := published(name)
	return p != nil && len(p.missing(p.dir(dataDir))) > 0
}

// Download fetches the files of a set that are missing in dataDir (default "data"),
// both splits. Each is checked by its SHA-256 before it gets its name; a download
// that was stopped, as by ctx, leaves at most a file NAME.part from which the next
// one goes on. Where ctx ended the error wraps its cause; where no mirror gave the
// file it is a [*FileError] that says where to put it by hand.
func Download(ctx context.Context, name, dataDir string, opts DownloadOptions) error {
	e, err := find(name)
	if err != nil {
		return err
	}
	p := published(name)
	if p == nil {
		return fmt.Errorf("%s: there is nothing to download", e.info.Name)
	}
	return p.download(ctx, dataDir, opts)
}

func published(name string) *publication {
	if e, err := find(name); err == nil {
		return publications[strings.TrimSuffix(e.info.Name, "_coarse")] // of the same files
	}
	return nil
}

// dir is the folder of the set's files.
func (p *publication) dir(dataDir string) string {
	return filepath.Join(Options{DataDir: dataDir}.dataDir(), p.folder)
}

func (p *publication) download(ctx context.Context, dataDir string, opts DownloadOptions) error {
	dir := p.dir(dataDir)
	if len(p.missing(dir)) == 0 {
		return nil // also where the folder cannot be written to
	}
	note := func(format string, args ...any) {
		if opts.Note != nil {
			opts.Note(p.set + ": " + fmt.Sprintf(format, args...))
		}
	}
	if err := atomicfile.MkdirAll(dir); err != nil {
		return fmt.Errorf("%s: %w", p.set, err) // it names operation and path
	}
	unlock, err := fetch.Lock(ctx, dir, func() { note("another process is downloading to %s: waiting for it", dir) })
	if err != nil {
		return p.failed(ctx, dir, remote{}, err)
	}
	defer unlock()

	missing := p.missing(dir) // again: the other process may have been here
	var total, before int64
	for _, f := range missing {
		total += f.size
	}
	for _, f := range missing {
		progress := func(done, _ int64) {
			if opts.Progress != nil {
				opts.Progress(before+done, total)
			}
		}
		if err := p.bring(ctx, dir, f, opts, progress, note); err != nil {
			return p.failed(ctx, dir, f, err)
		}
		before += f.size
		progress(0, 0)
	}
	return nil
}

// bring puts one published file, or what is in it, into dir.
func (p *publication) bring(ctx context.Context, dir string, f remote, opts DownloadOptions, progress func(done, total int64), note func(string, ...any)) error {
	path := filepath.Join(dir, f.name)
	if p.unpack != nil {
		own, err := p.archiveThere(ctx, path, f, note)
		if err != nil {
			return err
		}
		if own != "" {
			return p.unpack(ctx, own, dir)
		}
	}
	err := fetch.File(ctx, path, fetch.Wanted{URLs: p.urls(f, opts.Mirrors), Size: f.size, SHA256: f.sha256}, fetch.Options{
		Client: opts.Client, StallTimeout: opts.StallTimeout, Progress: progress,
		Note: func(line string) { note("%s", line) },
	})
	if err != nil || p.unpack == nil {
		return err
	}
	if err := p.unpack(ctx, path, dir); err != nil {
		return err
	}
	return disk.Remove(path)
}

// archiveThere finds an archive that the user put into the data folder, or that an
// earlier run had no time to unpack. It is believed only by its SHA-256.
func (p *publication) archiveThere(ctx context.Context, path string, f remote, note func(string, ...any)) (string, error) {
	for _, own := range []string{path, filepath.Join(filepath.Dir(filepath.Dir(path)), f.name)} {
		file, size, err := userfile.Open(own)
		if err != nil {
			continue
		}
		sum := ""
		if size == f.size {
			sum, err = fetch.SHA256(ctx, file)
		}
		file.Close()
		switch {
		case ctx.Err() != nil:
			return "", err
		case sum == f.sha256:
			return own, nil
		}
		note("%s is not the published archive, or damaged: it is fetched anew", own)
	}
	return "", nil
}

// urls are the addresses of a file.
func (p *publication) urls(f remote, mirrors []string) []string {
	if len(mirrors) == 0 {
		mirrors = p.mirrors
	}
	urls := make([]string, len(mirrors))
	for i, m := range mirrors {
		urls[i] = strings.TrimSuffix(m, "/") + "/" + f.name
	}
	return urls
}

// failed words what a user can do about err.
func (p *publication) failed(ctx context.Context, dir string, f remote, err error) error {
	var mirrors *fetch.Error
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: download stopped: %w; the same command goes on with it", p.set, err)
	case errors.As(err, &mirrors):
		why := "no mirror gave it"
		if mirrors.Offline() {
			why = "no mirror can be reached, so there seems to be no network"
		}
		return &FileError{Set: p.set, File: filepath.Join(dir, f.name), Fault: fmt.Sprintf("%s (%s)", why, err),
			Remedy: Remedy(fmt.Sprintf("try again later, or put it there by hand, from %s", p.urls(f, nil)[0])), Err: err}
	}
	return fmt.Errorf("%s: %w", p.set, err)
}
