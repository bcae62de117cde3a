package trainer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"syscall"

	"github.com/wangkuiyi/gotorch/atomicfile"
	"github.com/wangkuiyi/gotorch/disk"
	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/regular"
	"github.com/wangkuiyi/gotorch/weights"
)

// Files of a run's folder.
const (
	StateFile      = "state.pth"
	PrevStateFile  = "state-prev.pth"
	CheckpointFile = "ckpt.pth"
	MetricsFile    = "metrics.jsonl"

	lockFile = ".lock"
)

// Folder is where a run lives. One process at a time may train in it.
type Folder struct {
	Dir   string
	Keep  int      // states kept, the current one included; 2
	Notes []string // what its file system does not do; for the user
	lock  *os.File
	dir   fs.FileInfo // of Dir when it was opened
	own   bool        // state.pth is one that this process saved
}

// HoldsRun tells whether dir has the files of a run. Where that cannot be found out it
// does: nothing may start in their place.
func HoldsRun(dir string) bool {
	return holds(dir, StateFile, PrevStateFile, CheckpointFile)
}

func holds(dir string, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		_, err := disk.Lstat(filepath.Join(dir, name))
		return !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR)
	})
}

// ErrBusy is when another process trains in the folder.
var ErrBusy = errors.New("another process is training in this folder")

// OpenFolder makes the folder, checks that it can be written to and that the run's
// files are files, and keeps other processes out until Close.
func OpenFolder(dir string, keep int) (*Folder, error) {
	f, err := lockFolder(dir, keep)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{StateFile, PrevStateFile, CheckpointFile, MetricsFile} {
		if err := regular.Check(f.path(name)); err != nil {
			f.Close()
			return nil, fmt.Errorf("a file of the run cannot be used: %w; nothing was changed", err)
		}
	}
	f.sweep()
	return f, nil
}

// lockFolder makes the folder and keeps other processes out.
func lockFolder(dir string, keep int) (*Folder, error) {
	if err := atomicfile.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("the output folder cannot be made: %w", err)
	}
	f, err := openLock(filepath.Join(dir, lockFile))
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(dir)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("the output folder cannot be used: %w", err)
	}
	fo := &Folder{Dir: dir, Keep: max(2, keep), lock: f, dir: info}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		defer f.Close()
		return nil, fmt.Errorf("%s: %w%s", dir, ErrBusy, holder(f))
	case errors.Is(err, syscall.ENOLCK), errors.Is(err, syscall.ENOTSUP), errors.Is(err, syscall.ENOSYS):
		fo.Notes = append(fo.Notes, dir+" is on a file system without locks: see to it that no other process trains there")
	case err != nil:
		f.Close()
		return nil, fmt.Errorf("%s: lock: %w", dir, err)
	}
	if !atomicfile.CanSync(dir) {
		fo.Notes = append(fo.Notes, dir+" is on a file system that cannot be told to bring its names to the disk: a power cut may cost the last save")
	}
	if err := f.Truncate(0); err == nil { // of a full disk saving will tell
		_, _ = fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	return fo, nil
}

// holder names the process that has the lock, as far as that is known.
func holder(lock *os.File) string {
	var text [20]byte
	n, _ := lock.ReadAt(text[:], 0)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text[:n])))
	if err != nil || pid <= 0 {
		return ""
	}
	return fmt.Sprintf(" (process %d)", pid)
}

// Close lets other processes in.
func (f *Folder) Close() {
	f.lock.Close()
}

// Names of files on their way to their own.
const (
	nextState = "." + StateFile + ".next"
	nextPrev  = "." + PrevStateFile + ".next"
)

// sweep removes what a killed process left half written. It is only rubbish:
// what cannot be removed does no harm.
func (f *Folder) sweep() {
	_ = atomicfile.SweepFolder(f.Dir)
	for _, name := range []string{nextState, nextPrev} {
		_ = disk.Remove(f.path(name))
	}
}

func (f *Folder) path(name string) string { return filepath.Join(f.Dir, name) }

// Save writes the state, reads it back, and only then lets it take the place
// of the one before; then it derives ckpt.pth. A kill at any point leaves a
// whole state.pth.
func (f *Folder) Save(s *State) error {
	if err := f.Held(); err != nil {
		return err
	}
	next := f.path(nextState)
	defer disk.Remove(next)
	if err := writeOwn(next, s.file); err != nil {
		return fmt.Errorf("the run's state was not saved: %w", err)
	}
	if _, err := ReadState(next); err != nil {
		return fmt.Errorf("the run's state reads back damaged: %w", err)
	}
	if err := f.rotate(); err != nil {
		return err
	}
	if err := disk.Rename(next, f.path(StateFile)); err != nil {
		return fmt.Errorf("the run's state was not saved: %w", err)
	}
	f.own = true
	if err := atomicfile.SyncDir(f.Dir); err != nil {
		return err
	}
	if err := f.Derive(s); err != nil {
		return err
	}
	return f.prune()
}

// divergedState is a state from which a run went straight into divergence.
const divergedState = "state-diverged.pth"

// HoldsState tells whether there is a state, good or not.
func (f *Folder) HoldsState() bool { return f != nil && holds(f.Dir, StateFile, PrevStateFile) }

// StepBack lets the state before take the newest one's place, which is kept under
// another name, and derives ckpt.pth from it. It gives that state's step, 0 where there
// is none before.
func (f *Folder) StepBack() (step int, err error) {
	if err := f.Held(); err != nil {
		return 0, err
	}
	cur, prev := f.path(StateFile), f.path(PrevStateFile)
	s, err := ReadState(prev)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if err := disk.Rename(cur, f.path(divergedState)); err != nil {
		return 0, fmt.Errorf("the state before was not put back: %w", err)
	}
	if err := disk.Rename(prev, cur); err != nil { // resuming takes it by its old name too
		return 0, fmt.Errorf("the state before was not put back: %w", err)
	}
	if err := atomicfile.SyncDir(f.Dir); err != nil {
		return 0, err
	}
	return s.Step(), f.Derive(s)
}

// Derive writes ckpt.pth from a state.
func (f *Folder) Derive(s *State) error {
	if err := writeOwn(f.path(CheckpointFile), s.checkpoint()); err != nil {
		return fmt.Errorf("the weights were not saved: %w", err)
	}
	return nil
}

// writeOwn writes a file of the run. A pipe that has come to be in its place is an error
// at once: nobody reads from it.
func writeOwn(path string, f *weights.File) error {
	return atomicfile.Replace(path, func(w io.Writer) error { return pth.Write(w, f) })
}

// rotate makes state.pth also state-prev.pth, and that, where more are kept,
// state-<step>.pth.
func (f *Folder) rotate() error {
	cur, prev := f.path(StateFile), f.path(PrevStateFile)
	if _, err := disk.Lstat(cur); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if !f.own {
		// A damaged file, which the run was gone on with past, must not take the
		// place of the good one before it.
		if err := f.passOver(StateFile); err != nil {
			return err
		}
		if _, err := disk.Lstat(cur); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	if f.Keep > 2 {
		old, err := ReadState(prev)
		switch {
		case err == nil:
			name := f.path(fmt.Sprintf("state-%d.pth", old.Step()))
			if err := disk.Rename(prev, name); err != nil {
				return fmt.Errorf("an old state was not kept: %w", err)
			}
		case damaged(err):
			if _, err := f.keepDamaged(PrevStateFile); err != nil {
				return err
			}
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("an old state was not kept: %w", err)
		}
	}
	// A second name for the same file, so that state.pth is there throughout.
	tmp := f.path(nextPrev)
	_ = disk.Remove(tmp)
	err := disk.Link(cur, tmp)
	if disk.NoLinks(err) {
		// A rename leaves state-prev.pth alone for a moment, which resuming
		// takes too.
		tmp, err = cur, nil
	}
	if err == nil {
		if err = disk.Rename(tmp, prev); err != nil && tmp != cur {
			_ = disk.Remove(tmp) // with the error that is known
		}
	}
	if err != nil {
		return fmt.Errorf("the state before was not kept: %w", err)
	}
	return nil
}

// prune removes the oldest of the numbered states beyond Keep.
func (f *Folder) prune() error {
	old, err := numbered(f.Dir)
	if err != nil {
		return fmt.Errorf("old states were not removed: %w", err)
	}
	for len(old) > f.Keep-2 {
		if err := disk.Remove(f.path(fmt.Sprintf("state-%d.pth", old[0]))); err != nil {
			return fmt.Errorf("an old state was not removed: %w", err)
		}
		old = old[1:]
	}
	return nil
}

// numbered lists the steps of the states kept beyond two, oldest first.
func numbered(dir string) ([]int, error) {
	entries, err := disk.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var steps []int
	for _, e := range entries {
		s, ok := strings.CutPrefix(e.Name(), "state-")
		s, ok2 := strings.CutSuffix(s, ".pth")
		if n, err := strconv.Atoi(s); ok && ok2 && err == nil {
			steps = append(steps, n)
		}
	}
	sort.Ints(steps)
	return steps, nil
}

// damaged tells a file that is there but no state from one that cannot be read now:
// that may be whole, and nothing may take its place.
func damaged(err error) bool {
	for _, content := range []error{weights.ErrDamaged, weights.ErrRefused, pth.ErrNotPth} {
		if errors.Is(err, content) {
			return true
		}
	}
	return false
}

// PassedOver is a damaged state beside a good one.
type PassedOver struct {
	Name string
	Why  error // names the file
}

// NoStateError is of a folder that holds a run of which nothing can be resumed.
type NoStateError struct{ Dir, Why string }

func (e *NoStateError) Error() string {
	return fmt.Sprintf("%s holds a run, but none of its states can be resumed: %s", e.Dir, e.Why)
}

// Newest reads the newest valid state of a folder that holds a run. Damaged files are
// passed over; one that cannot be read is an error, for it may be the newest one. With
// none valid it is a *NoStateError: nothing starts at step 0 by itself.
func Newest(dir string) (s *State, name string, passed []PassedOver, err error) {
	names := []string{StateFile, PrevStateFile}
	old, err := numbered(dir)
	if err != nil {
		return nil, "", nil, fmt.Errorf("the run's states cannot be listed: %w; nothing was changed", err)
	}
	for i := len(old) - 1; i >= 0; i-- {
		names = append(names, fmt.Sprintf("state-%d.pth", old[i]))
	}
	var why []string
	for _, name := range names {
		s, err := ReadState(filepath.Join(dir, name))
		switch {
		case err == nil:
			return s, name, passed, nil
		case damaged(err):
			passed, why = append(passed, PassedOver{name, err}), append(why, err.Error())
		case !errors.Is(err, fs.ErrNotExist):
			return nil, "", passed, fmt.Errorf("%w; it may be whole, so none before it is taken, and nothing was changed", err)
		}
	}
	if why == nil {
		why = []string{"there is no " + StateFile}
	}
	return nil, "", passed, &NoStateError{dir, strings.Join(why, "; ")}
}

// passOver keeps a state under another name if it is damaged. One that cannot be read
// is an error.
func (f *Folder) passOver(name string) error {
	_, err := ReadState(f.path(name))
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist):
		return nil
	case damaged(err):
		_, err = f.keepDamaged(name)
		return err
	}
	return fmt.Errorf("the state before was not kept: %w", err)
}

// KeepDamaged gives states that were passed over other names, so that nothing takes
// their place: state.pth.damaged. It gives the new ones.
func (f *Folder) KeepDamaged(passed []PassedOver) (names []string, err error) {
	for _, p := range passed {
		name, err := f.keepDamaged(p.Name)
		if err != nil {
			return names, err
		}
		names = append(names, name)
	}
	return names, nil
}

func (f *Folder) keepDamaged(name string) (string, error) { return SetAside(f.path(name)) }

// MoveAside renames a run's folder to <dir>.old-N, the first N that is free. A
// folder that another process trains in stays.
func MoveAside(dir string) (string, error) {
	f, err := lockFolder(dir, 2)
	if err != nil {
		return "", err
	}
	defer f.Close()
	for n := 1; ; n++ {
		to := fmt.Sprintf("%s.old-%d", dir, n)
		if _, err := disk.Lstat(to); errors.Is(err, fs.ErrNotExist) {
			if err := disk.Rename(dir, to); err != nil {
				return "", fmt.Errorf("the old run cannot be moved aside: %w", err)
			}
			return to, atomicfile.SyncDir(filepath.Dir(to))
		}
	}
}
