package gotorch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"
)

// owners are those whose libraries are opened although nobody pointed to them. Whoever can write a library, or a folder on
// the way to it, can have this user run anything. So each must belong to one of them, and nobody but they and their groups
// may write it. In a folder like /tmp others may make files, but not take the place of one: there the next name's owner
// tells.
type owners struct {
	users   map[uint32]bool
	anybody bool            // everybody may write, for everybody can put another program in the place of one that runs
	good    map[string]bool // names that were looked at
}

// ours are the user, root and the owner of this program.
func ours() *owners {
	o := &owners{users: map[uint32]bool{0: true, uint32(os.Geteuid()): true}, good: map[string]bool{}}
	if exe, err := os.Executable(); err == nil {
		if st, err := os.Stat(exe); err == nil {
			o.users[owner(st)] = true
		}
	}
	return o
}

// andOf adds those who can put another program in the place of one that runs anyway, this one or Python: libraries of
// theirs can do no more than that.
func (o *owners) andOf(program string) *owners {
	for _, p := range []string{program, resolved(program)} {
		_ = eachName(p, func(_ string, st fs.FileInfo) error {
			o.users[owner(st)] = true
			o.anybody = o.anybody || writable(st)
			return nil
		})
	}
	return o
}

// check says why a library, or a folder of some, is not to be opened; nil: it may be.
func (o *owners) check(path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return err
	}
	if err := eachName(abs, o.checkName); err != nil {
		return err
	}
	return eachName(real, o.checkName)
}

func (o *owners) checkName(name string, st fs.FileInfo) error {
	switch {
	case o.good[name]:
		return nil
	case !o.users[owner(st)]:
		return fmt.Errorf("%s belongs to user %d", name, owner(st))
	case writable(st) && !o.anybody:
		return fmt.Errorf("everybody may write %s", name)
	}
	o.good[name] = true
	return nil
}

// checkFolder checks a folder and the libraries in it whose names fit a pattern, for each is opened or may be by those that
// are; and folders in it, where the loader looks for some that are made for a kind of processor (glibc-hwcaps). It says
// which is not to be opened. A folder that is not there holds none.
func (o *owners) checkFolder(folder, pattern string) (untrusted string, why error) {
	if _, err := os.Stat(folder); absent(err) {
		return "", nil
	}
	if err := o.check(folder); err != nil {
		return folder, err
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return folder, err
	}
	for _, e := range entries {
		name := filepath.Join(folder, e.Name())
		if e.IsDir() {
			if untrusted, why = o.checkFolder(name, pattern); why != nil {
				return untrusted, why
			}
		} else if fits, err := path.Match(pattern, e.Name()); err != nil {
			return name, err
		} else if fits || e.Type()&fs.ModeSymlink != 0 {
			if why := o.check(name); why != nil {
				return name, why
			}
		}
	}
	return "", nil
}

// CheckBeside says why what lies in a folder near this program's is not to be run, for others than could have put another
// program in the place of this one could have put it there; nil: it may be.
func CheckBeside(folder string) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	if file, why := ours().andOf(exe).checkFolder(folder, "*"); why != nil {
		return &UntrustedError{Path: file, Else: elsewhere, Why: why}
	}
	return nil
}

// elsewhere is what to do where the place of the program is none to trust.
const elsewhere = "put the programs into a folder of your own"

// eachName calls f with all names on the way to an absolute path, the last one first, until it fails.
func eachName(path string, f func(name string, st fs.FileInfo) error) error {
	for name := path; ; name = filepath.Dir(name) {
		st, err := os.Lstat(name)
		if err != nil {
			return err
		}
		if err := f(name, st); err != nil || name == filepath.Dir(name) {
			return err
		}
	}
}

func owner(st fs.FileInfo) uint32 { return st.Sys().(*syscall.Stat_t).Uid }

// writable tells whether everybody may put something else in a name's place.
func writable(st fs.FileInfo) bool {
	if st.Mode()&fs.ModeSymlink != 0 || st.IsDir() && st.Mode()&fs.ModeSticky != 0 {
		return false
	}
	return st.Mode().Perm()&0o002 != 0
}

func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// UntrustedError is a library to which nobody pointed, and that others could have put where it lies.
type UntrustedError struct {
	Path     string
	Libtorch string // its folder, if the library is of libtorch
	Else     string // what else can be done: "work in another folder"
	Why      error
}

func (e *UntrustedError) Error() string {
	remedy := "mend that"
	if e.Libtorch != "" {
		remedy = fmt.Sprintf("say LIBTORCH=%s if you trust it", e.Libtorch)
	}
	return fmt.Sprintf("%s is not opened, for %v: %s, or %s", e.Path, e.Why, remedy, e.Else)
}

func (e *UntrustedError) Unwrap() error { return e.Why }
