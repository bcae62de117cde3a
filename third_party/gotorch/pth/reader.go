package pth

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/wangkuiyi/gotorch/disk"
	"github.com/wangkuiyi/gotorch/weights"
)

// ErrNotPth means another kind of file, which the message names, with what to do.
var ErrNotPth = errors.New("not a .pth file of PyTorch")

// The errors of package weights, here so that callers need not import it for them.
var (
	ErrDamaged     = weights.ErrDamaged
	ErrRefused     = weights.ErrRefused
	ErrLimit       = weights.ErrLimit
	ErrNewerFormat = weights.ErrNewerFormat
)

// Reader reads files with limits. Each field's zero value means the default.
type Reader struct {
	MaxEntries int   // records in the archive: 100,000
	MaxPickle  int64 // bytes of data.pkl: 64 MiB
	MaxRecord  int64 // bytes of flowmatch's record: 16 MiB
	MaxValues  int   // on the pickle machine's stack, in its memo, and in the result: 1,000,000
	MaxDepth   int   // levels of nested values: 64
	MaxString  int   // bytes of a string in the pickle: 64 KiB
	MaxMemory  int64 // bytes for what the pickle builds and for copies of tensors that are not contiguous: the file's size + 24 MiB + 4 times its size, these two at most 48 MiB
}

// Read reads a state_dict: a file whose root is a dict or OrderedDict of names to tensors.
func Read(path string) (*weights.File, error) { return Reader{}.Read(path) }

// ReadFrom is [Read] from size bytes that r has.
func ReadFrom(r io.ReaderAt, size int64) (*weights.File, error) { return Reader{}.ReadFrom(r, size) }

// ReadValue reads a file with any root: nil, bool, int64, float64, string, [Tuple], *[List], *[Map], *[weights.Tensor].
func ReadValue(path string) (any, error) { return Reader{}.ReadValue(path) }

// ReadRoot is [ReadValue], and gives flowmatch's record too, nil where the file has none.
func ReadRoot(path string) (root any, record []byte, err error) { return Reader{}.ReadRoot(path) }

// Read is the function [Read] with the reader's limits.
func (r Reader) Read(path string) (file *weights.File, err error) {
	err = withFile(path, func(f io.ReaderAt, size int64) error {
		file, err = r.ReadFrom(f, size)
		return err
	})
	return file, err
}

// ReadValue is the function [ReadValue] with the reader's limits.
func (r Reader) ReadValue(path string) (any, error) {
	v, _, err := r.ReadRoot(path)
	return v, err
}

// ReadRoot is the function [ReadRoot] with the reader's limits.
func (r Reader) ReadRoot(path string) (root any, record []byte, err error) {
	err = withFile(path, func(f io.ReaderAt, size int64) error {
		root, record, err = r.read(f, size, func(any) error { return nil })
		return err
	})
	return root, record, err
}

// ReadFrom is the function [ReadFrom] with the reader's limits.
func (r Reader) ReadFrom(f io.ReaderAt, size int64) (*weights.File, error) {
	var d *weights.Dict
	_, record, err := r.read(f, size, func(v any) (err error) {
		d, err = DictOf(v)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &weights.File{Tensors: d, Record: record}, nil
}

// ReadValueFrom is [Reader.ReadValue] from size bytes that f has.
func (r Reader) ReadValueFrom(f io.ReaderAt, size int64) (any, error) {
	v, _, err := r.read(f, size, func(any) error { return nil })
	return v, err
}

func withFile(path string, read func(f io.ReaderAt, size int64) error) error {
	f, size, err := disk.Open(path)
	if err != nil {
		return err // names operation and path
	}
	defer func() { _ = f.Close() }() // it was only read
	if err := read(f, size); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// limits is a Reader whose zeros are replaced, and what is left of its memory.
type limits struct {
	Reader
	left int64
}

func (r Reader) limits(size int64) limits {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set64 := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&r.MaxEntries, 100_000)
	set64(&r.MaxPickle, 64<<20)
	set64(&r.MaxRecord, 16<<20)
	set(&r.MaxValues, 1_000_000)
	set(&r.MaxDepth, 64)
	set(&r.MaxString, 64<<10)
	set64(&r.MaxMemory, size+min(24<<20+4*min(size, 24<<20), 48<<20))
	return limits{r, r.MaxMemory}
}

// charge takes n bytes from what is left.
func (l *limits) charge(n int64) error {
	if l.left -= n; l.left < 0 {
		return overLimit("more than %d bytes for the pickle's values and copies of tensors", l.MaxMemory)
	}
	return nil
}

// read does the whole work. accept looks at the root before the storages are read.
func (r Reader) read(f io.ReaderAt, size int64, accept func(any) error) (any, []byte, error) {
	l := r.limits(size)
	a, err := openArchive(source{f}, size, l.MaxEntries)
	if err != nil {
		return nil, nil, err
	}
	own, err := a.ownRecord(l.MaxRecord)
	if err != nil {
		return nil, nil, err
	}
	if err := a.checkSmall(); err != nil {
		return nil, nil, err
	}
	pickle, err := a.loadLimited(a.root+"/data.pkl", l.MaxPickle)
	if err != nil {
		return nil, nil, err
	}
	m := &machine{limits: l, open: a.openStorage, storages: make(map[string]*storage)}
	v, err := m.unpickle(pickle)
	if err != nil {
		return nil, nil, fmt.Errorf("data.pkl: %w", err)
	}
	if err := accept(v); err != nil {
		return nil, nil, err
	}
	if err := a.readRecords(m.storages, own.sum()); err != nil {
		return nil, nil, err
	}
	if err := own.verify(); err != nil {
		return nil, nil, err
	}
	for i := range m.tensors {
		m.tensors[i].fill()
	}
	return v, own.record(), nil
}

// loadLimited loads a record that must be there and not too long.
func (a *archive) loadLimited(name string, limit int64) ([]byte, error) {
	r, ok := a.byName[name]
	if !ok {
		return nil, damaged("%s is missing", show(name))
	}
	if r.size > limit {
		return nil, overLimit("%s: %d bytes, at most %d", show(name), r.size, limit)
	}
	return a.load(r)
}

// checkSmall looks at version and byteorder.
func (a *archive) checkSmall() error {
	version, err := a.loadLimited(a.root+"/version", 16)
	if err != nil {
		return err
	}
	if v := string(bytes.TrimSpace(version)); !isDigits(v) || len(v) > 2 || v == "0" {
		return refused("%s/version: %.16q, not a number such as 3", show(a.root), version)
	}
	if _, ok := a.byName[a.root+"/byteorder"]; !ok {
		return nil // before PyTorch 2.1
	}
	order, err := a.loadLimited(a.root+"/byteorder", 16)
	if err != nil {
		return err
	}
	if string(order) != "little" {
		return refused("%s/byteorder: %.16q; only little-endian files are read", show(a.root), order)
	}
	return nil
}

// readRecords reads every record once, in the file's order: storages into their memory, the others only for their CRC
// and for the seal's digest.
func (a *archive) readRecords(storages map[string]*storage, sum hash.Hash) error {
	wanted := make(map[*record]*storage, len(storages))
	for _, s := range storages {
		wanted[s.record] = s
	}
	for _, r := range a.records {
		sum := sum
		if r.name == a.root+recordName {
			sum = nil
		}
		if sum != nil {
			sealRecord(sum, r.name, r.size)
		}
		s, ok := wanted[r]
		if !ok {
			if err := a.pass(r, sum); err != nil {
				return err
			}
			continue
		}
		var err error
		if s.data, err = a.load(r); err != nil {
			return err
		}
		if sum != nil {
			_, _ = sum.Write(s.data)
		}
		if err := s.checkBools(); err != nil {
			return err
		}
	}
	return nil
}

// sealRecord puts a record's name and length into the digest, before its bytes.
func sealRecord(sum hash.Hash, name string, size int64) {
	var b [8]byte
	le.PutUint64(b[:], uint64(len(name)))
	_, _ = sum.Write(b[:])
	_, _ = io.WriteString(sum, name)
	le.PutUint64(b[:], uint64(size))
	_, _ = sum.Write(b[:])
}

func newSum() hash.Hash { return sha256.New() }
