package gotorch

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// trusted says why a library at path, to which nobody pointed, is not to be opened; nil: it may be. Whoever can write it, or a folder on the way to it, can
// have this user run anything. So each must belong to the user, to root or to the
// owner of this program, and nobody but they and their groups may write it. In a
// folder like /tmp others may make files, but not take the place of one: there the
// next name's owner tells.
func trusted(path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if err := trustedNames(abs); err != nil {
		return err
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil || real == abs {
		return err
	}
	return trustedNames(real)
}

func trustedNames(path string) error {
	owners := map[uint32]bool{0: true, uint32(os.Geteuid()): true}
	if exe, err := os.Executable(); err == nil {
		if st, err := os.Stat(exe); err == nil {
			owners[st.Sys().(*syscall.Stat_t).Uid] = true
		}
	}
	for name := path; ; name = filepath.Dir(name) {
		st, err := os.Lstat(name)
		if err != nil {
			return err
		}
		if uid := st.Sys().(*syscall.Stat_t).Uid; !owners[uid] {
			return fmt.Errorf("%s belongs to user %d", name, uid)
		}
		open := st.Mode().Perm()&0o002 != 0 && st.Mode()&os.ModeSymlink == 0
		if open && (!st.IsDir() || st.Mode()&os.ModeSticky == 0) {
			return fmt.Errorf("everybody may write %s", name)
		}
		if name == filepath.Dir(name) {
			return nil
		}
	}
}

// UntrustedError is a library, found by the working directory or the place of the
// sources, that lies where others could have put it.
type UntrustedError struct {
	Path     string
	Libtorch string // its folder, if the library is of libtorch
	Why      error
}

func (e *UntrustedError) Error() string {
	remedy := "mend that, or work in another folder"
	if e.Libtorch != "" {
		remedy = fmt.Sprintf("say LIBTORCH=%s if you trust it, or work in another folder", e.Libtorch)
	}
	return fmt.Sprintf("%s is not opened, for %v: %s", e.Path, e.Why, remedy)
}

func (e *UntrustedError) Unwrap() error { return e.Why }
