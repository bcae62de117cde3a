package datasets

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/wangkuiyi/gotorch/atomicfile"

	"flowmatch/datasets/internal/userfile"
)

// member is a file to take from an archive.
type member struct {
	name     string
	size     int64 // bytes; 0: any, up to memberSmall
	optional bool
}

const (
	memberSmall   = 4 << 10
	memberAllMost = 1 << 30 // bytes that an archive may unfold to
)

// unpack takes exactly the members named, from the folder inside of a gzipped tar
// archive, into dir, where they are not there yet. All else in the archive is passed
// over: no name of it ever becomes a path. Each file gets its name whole or not at
// all.
func unpack(ctx context.Context, path, inside, dir string, members []member) error {
	f, _, err := userfile.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unpackFrom(ctx, f, inside, dir, members); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("unpack %s: %w", path, err)
	}
	return nil
}

func unpackFrom(ctx context.Context, r io.Reader, inside, dir string, members []member) error {
	zipped, err := gzip.NewReader(stoppable{ctx, r})
	if err != nil {
		return err
	}
	archive := tar.NewReader(io.LimitReader(zipped, memberAllMost))
	seen := map[string]bool{}
	for {
		h, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		m, ok := wantedMember(h.Name, inside, members)
		if !ok {
			continue
		}
		switch {
		case seen[m.name]:
			return fmt.Errorf("%s is in it twice", m.name)
		case h.Typeflag != tar.TypeReg:
			return fmt.Errorf("%s is not a plain file in it", m.name)
		case m.size > 0 && h.Size != m.size, m.size == 0 && h.Size > memberSmall:
			return fmt.Errorf("%s has %d bytes in it, not %d", m.name, h.Size, max(m.size, memberSmall))
		}
		seen[m.name] = true
		if err := unpackMember(archive, filepath.Join(dir, m.name), h.Size); err != nil {
			return err
		}
	}
	for _, m := range members {
		if !seen[m.name] && !m.optional {
			return fmt.Errorf("%s is not in it", m.name)
		}
	}
	return nil
}

// wantedMember finds a name from the archive in our own list.
func wantedMember(name, inside string, members []member) (member, bool) {
	name = strings.TrimPrefix(name, "./")
	for _, m := range members {
		if name == inside+"/"+m.name {
			return m, true
		}
	}
	return member{}, false
}

func unpackMember(r io.Reader, path string, size int64) error {
	if userfile.Exists(path) {
		return nil // the user's, or an earlier run's
	}
	if err := atomicfile.Sweep(path); err != nil { // left by a killed process
		return err
	}
	return atomicfile.Replace(path, func(w io.Writer) error {
		n, err := io.Copy(w, r)
		if err == nil && n != size {
			err = errors.New("the archive ended early")
		}
		return err
	})
}

// stoppable is a reader that ends with its context.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s stoppable) Read(p []byte) (int, error) {
	if s.ctx.Err() != nil {
		return 0, context.Cause(s.ctx)
	}
	return s.r.Read(p)
}
