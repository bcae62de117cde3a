package disktest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/wangkuiyi/gotorch/disk"
	"github.com/wangkuiyi/gotorch/regular"
)

// Memory is a file system in memory. The zero value is not ready: use [NewMemory].
type Memory struct {
	NoLinks   bool // as FAT
	Room      int  // bytes that files may have together; below 0: no limit
	WrongByte int  // of all bytes written, the one that is kept wrong without a word, counted from 1; 0: none

	mu      sync.Mutex
	nodes   []*node
	before  []*node // what was on the disk before the journal
	journal []effect
	written int // bytes, for WrongByte
	used    int // bytes of all files
}

// node is a file or a folder.
type node struct {
	data    []byte
	entries map[string]int // nil: a file
	names   int            // of a file, in all folders
}

// root is the number of the root folder.
const root = 0

// NewMemory makes an empty file system with a folder at each path.
func NewMemory(folders ...string) *Memory {
	m := &Memory{Room: -1, nodes: []*node{{entries: map[string]int{}}}}
	for _, path := range folders {
		at := "/"
		for _, name := range split(path) {
			at = filepath.Join(at, name)
			if err := m.Mkdir(at); err != nil && !errors.Is(err, fs.ErrExist) {
				panic(err)
			}
		}
	}
	m.Settle()
	return m
}

// split gives the names of a path, which begins at the root in any case.
func split(path string) []string {
	path = strings.Trim(filepath.Clean("/"+path), "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// walk finds the node at a path.
func (m *Memory) walk(path string) (int, error) {
	at := root
	for _, name := range split(path) {
		n := m.nodes[at]
		if n.entries == nil {
			return 0, syscall.ENOTDIR
		}
		next, ok := n.entries[name]
		if !ok {
			return 0, syscall.ENOENT
		}
		at = next
	}
	return at, nil
}

// parent finds the folder of a path's last name.
func (m *Memory) parent(path string) (dir int, name string, err error) {
	names := split(path)
	if len(names) == 0 {
		return 0, "", syscall.EBUSY
	}
	dir, err = m.walk(strings.Join(names[:len(names)-1], "/"))
	if err == nil && m.nodes[dir].entries == nil {
		err = syscall.ENOTDIR
	}
	return dir, names[len(names)-1], err
}

func wrong(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}

// file finds the file at a path.
func (m *Memory) file(path string) (int, error) {
	at, err := m.walk(path)
	if err == nil && m.nodes[at].entries != nil {
		err = regular.ErrNotRegular
	}
	return at, wrong("open", path, err)
}

// Open is [disk.FS].Open.
func (m *Memory) Open(path string) (disk.Reader, int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, err := m.file(path)
	if err != nil {
		return nil, 0, err
	}
	return &memoryFile{m: m, at: at, path: path}, int64(len(m.nodes[at].data)), nil
}

// Create is [disk.FS].Create.
func (m *Memory) Create(path string) (disk.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.walk(path); err == nil {
		return nil, wrong("open", path, syscall.EEXIST)
	}
	at, err := m.add(path, &node{})
	if err != nil {
		return nil, wrong("open", path, err)
	}
	return &memoryFile{m: m, at: at, path: path}, nil
}

// add makes a node at a path.
func (m *Memory) add(path string, n *node) (int, error) {
	dir, name, err := m.parent(path)
	if err != nil {
		return 0, err
	}
	m.nodes = append(m.nodes, n)
	m.do(effect{kind: named, at: dir, name: name, node: len(m.nodes) - 1, folder: n.entries != nil})
	return len(m.nodes) - 1, nil
}

// Append is [disk.FS].Append.
func (m *Memory) Append(path string) (disk.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, err := m.file(path)
	if err != nil {
		return nil, err
	}
	return &memoryFile{m: m, at: at, path: path, offset: len(m.nodes[at].data)}, nil
}

// Update is [disk.FS].Update.
func (m *Memory) Update(path string) (disk.Updater, int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, err := m.file(path)
	if errors.Is(err, fs.ErrNotExist) {
		at, err = m.add(path, &node{})
		err = wrong("open", path, err)
	}
	if err != nil {
		return nil, 0, err
	}
	return &memoryFile{m: m, at: at, path: path}, int64(len(m.nodes[at].data)), nil
}

// OpenDir is [disk.FS].OpenDir.
func (m *Memory) OpenDir(path string) (disk.Dir, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, err := m.walk(path)
	if err == nil && m.nodes[at].entries == nil {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, wrong("open", path, err)
	}
	return &memoryFile{m: m, at: at, path: path}, nil
}

// Rename is [disk.FS].Rename.
func (m *Memory) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, err := m.walk(from)
	var dir, into int
	var name, toName string
	if err == nil {
		dir, name, err = m.parent(from)
	}
	if err == nil {
		into, toName, err = m.parent(to)
	}
	if err == nil {
		if there, ok := m.nodes[into].entries[toName]; ok && (m.nodes[there].entries != nil || m.nodes[at].entries != nil) {
			err = syscall.EISDIR
		} else if ok && there == at {
			return nil // two names of one file: nothing happens
		}
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	m.do(effect{kind: renamed, at: dir, name: name, into: into, to: toName, node: at})
	return nil
}

// Link is [disk.FS].Link.
func (m *Memory) Link(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, err := m.file(from)
	switch {
	case m.NoLinks:
		err = syscall.EPERM
	case err == nil:
		if _, e := m.walk(to); e == nil {
			err = syscall.EEXIST
		}
	}
	var dir int
	var name string
	if err == nil {
		dir, name, err = m.parent(to)
	}
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return &os.LinkError{Op: "link", Old: from, New: to, Err: err}
	}
	m.do(effect{kind: named, at: dir, name: name, node: at})
	return nil
}

// Remove is [disk.FS].Remove.
func (m *Memory) Remove(path string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, err := m.walk(path)
	if err == nil && len(m.nodes[at].entries) > 0 {
		err = syscall.ENOTEMPTY
	}
	var dir int
	var name string
	if err == nil {
		dir, name, err = m.parent(path)
	}
	if err != nil {
		return wrong("remove", path, err)
	}
	m.do(effect{kind: unnamed, at: dir, name: name, node: at})
	return nil
}

// Mkdir is [disk.FS].Mkdir.
func (m *Memory) Mkdir(path string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.walk(path); err == nil {
		return wrong("mkdir", path, syscall.EEXIST)
	}
	_, err := m.add(path, &node{entries: map[string]int{}})
	return wrong("mkdir", path, err)
}

// Stat is [disk.FS].Stat.
func (m *Memory) Stat(path string) (fs.FileInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, err := m.walk(path)
	if err != nil {
		return nil, wrong("stat", path, err)
	}
	return info{filepath.Base(path), m.nodes[at].entries != nil, int64(len(m.nodes[at].data))}, nil
}

// Lstat is [disk.FS].Lstat: there are no symbolic links here.
func (m *Memory) Lstat(path string) (fs.FileInfo, error) { return m.Stat(path) }

// ReadDir is [disk.FS].ReadDir.
func (m *Memory) ReadDir(path string) ([]fs.DirEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, err := m.walk(path)
	if err == nil && m.nodes[at].entries == nil {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, wrong("open", path, err)
	}
	var out []fs.DirEntry
	for name, at := range m.nodes[at].entries {
		out = append(out, fs.FileInfoToDirEntry(info{name, m.nodes[at].entries != nil, int64(len(m.nodes[at].data))}))
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return out, nil
}

// ReadFile gives a file's content.
func (m *Memory) ReadFile(path string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, err := m.file(path)
	if err != nil {
		return nil, err
	}
	return slices.Clone(m.nodes[at].data), nil
}

// WriteFile puts a file, which is on the disk from then on.
func (m *Memory) WriteFile(path string, data []byte) error {
	_ = m.Remove(path)
	f, err := m.Create(path)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	m.Settle()
	return nil
}

// Names lists a folder, in order.
func (m *Memory) Names(path string) []string {
	entries, err := m.ReadDir(path)
	if err != nil {
		return []string{fmt.Sprint(err)}
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

type info struct {
	name   string
	folder bool
	size   int64
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.folder }
func (i info) Sys() any           { return nil }
func (i info) Mode() fs.FileMode {
	if i.folder {
		return fs.ModeDir | 0o755
	}
	return 0o644
}

// memoryFile is an open file or folder.
type memoryFile struct {
	m      *Memory
	at     int
	path   string
	offset int
	closed bool
}

func (f *memoryFile) Read(b []byte) (int, error) {
	n, err := f.ReadAt(b, int64(f.offset))
	f.offset += n
	if n > 0 {
		err = nil
	}
	return n, err
}

func (f *memoryFile) ReadAt(b []byte, off int64) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	data := f.m.nodes[f.at].data
	if f.closed {
		return 0, wrong("read", f.path, os.ErrClosed)
	}
	if off >= int64(len(data)) {
		return 0, io.EOF
	}
	n := copy(b, data[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memoryFile) Write(b []byte) (int, error) {
	n, err := f.WriteAt(b, int64(f.offset))
	f.offset += n
	return n, err
}

func (f *memoryFile) WriteAt(b []byte, off int64) (int, error) {
	m := f.m
	m.mu.Lock()
	defer m.mu.Unlock()
	if f.closed {
		return 0, wrong("write", f.path, os.ErrClosed)
	}
	b = slices.Clone(b)
	if at := m.WrongByte - m.written - 1; at >= 0 && at < len(b) {
		b[at] ^= 0x10
	}
	m.written += len(b)
	var full error
	if more := int(off) + len(b) - len(m.nodes[f.at].data); m.Room >= 0 && more > m.Room-m.used {
		b = b[:max(0, len(b)-(more-max(0, m.Room-m.used)))]
		full = wrong("write", f.path, syscall.ENOSPC)
	}
	m.do(effect{kind: written, at: f.at, offset: int(off), data: b})
	return len(b), full
}

func (f *memoryFile) Truncate(size int64) error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	f.m.do(effect{kind: truncated, at: f.at, offset: int(size)})
	return nil
}

func (f *memoryFile) Sync() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if f.closed {
		return wrong("sync", f.path, os.ErrClosed)
	}
	f.m.do(effect{kind: synced, at: f.at})
	return nil
}

func (f *memoryFile) Close() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if f.closed {
		return wrong("close", f.path, os.ErrClosed)
	}
	f.closed = true
	return nil
}
