package trainer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"
)

const ownMounts = "TRAINER_TEST_OWN_MOUNTS"

// The same on the system's own file system: one in memory, of just such a size, in a namespace of the test's own.
func TestFullFileSystem(t *testing.T) {
	if os.Getenv(ownMounts) != "" {
		fillFileSystem(t)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestFullFileSystem$", "-test.v")
	cmd.Env = append(os.Environ(), ownMounts+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err != nil && !errors.As(err, &exit):
		t.Skipf("no namespace of mounts is allowed here: %v", err)
	case err != nil:
		t.Errorf("%v\n%s", err, out)
	case strings.Contains(string(out), "--- SKIP"):
		t.Skipf("%s", out)
	}
}

func fillFileSystem(t *testing.T) {
	// Nothing of this is to be seen outside.
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		t.Skipf("mounts are not allowed here: %v", err)
	}
	all := states(t, 4)
	tried := 0
	for percent := int64(0); percent <= 250; percent += 5 {
		dir := t.TempDir()
		mount := func(flags uintptr, bytes int64) error {
			return syscall.Mount("tmpfs", dir, "tmpfs", flags, fmt.Sprintf("size=%d", bytes))
		}
		if err := mount(0, 64<<20); err != nil {
			t.Skipf("mounts are not allowed here: %v", err)
		}
		f := &Folder{Dir: dir, Keep: 2}
		for _, s := range all[:2] {
			if err := f.Save(s); err != nil {
				t.Fatal(err)
			}
		}
		info, err := os.Stat(f.path(StateFile))
		if err != nil {
			t.Fatal(err)
		}
		var used syscall.Statfs_t
		if err := syscall.Statfs(dir, &used); err != nil {
			t.Fatal(err)
		}
		if err := mount(syscall.MS_REMOUNT, int64(used.Blocks-used.Bfree)*used.Bsize+info.Size()*percent/100); err != nil {
			t.Fatal(err)
		}
		err = (&Folder{Dir: dir, Keep: 2}).Save(all[2])
		s, name, _, rerr := Newest(dir)
		if rerr != nil || name != StateFile || s.Step() != 2 && (s.Step() != 1 || err == nil) {
			t.Errorf("room for %d %%: %v; then %s, %v", percent, err, name, rerr)
		}
		if err != nil && (!errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), dir)) {
			t.Errorf("room for %d %%: %v", percent, err)
		}
		if percent < 50 && err == nil || percent >= 220 && err != nil {
			t.Errorf("room for %d %%: %v", percent, err)
		}
		noTemporaries(t, dir)
		if err := mount(syscall.MS_REMOUNT, 64<<20); err != nil {
			t.Fatal(err)
		}
		goOn(t, "with room again", dir, 2, all[3])
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Fatal(err)
		}
		tried++
	}
	faulttest.Report(t, "9", tried)
}

// A file may be so large and no larger (ulimit -f): the same.
func TestLimitedFileSize(t *testing.T) {
	if os.Getenv(ownMounts) == "" { // the limit is the process's, and stays
		cmd := exec.Command(os.Args[0], "-test.run=^TestLimitedFileSize$", "-test.v")
		cmd.Env = append(os.Environ(), ownMounts+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	all := states(t, 4)
	size := len(rendered(t, all[2]))
	tried := 0
	for percent := 0; percent <= 105; percent += 5 {
		dir := t.TempDir()
		f := &Folder{Dir: dir, Keep: 2}
		for _, s := range all[:2] {
			if err := f.Save(s); err != nil {
				t.Fatal(err)
			}
		}
		var before syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Fatal(err)
		}
		small := before
		small.Cur = uint64(size * percent / 100)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
			t.Fatal(err)
		}
		err := f.Save(all[2])
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Fatal(err)
		}
		want := 2
		if percent < 100 {
			want = 1
			if !errors.Is(err, syscall.EFBIG) || !strings.Contains(err.Error(), dir) {
				t.Errorf("files of %d %%: %v", percent, err)
			}
		} else if err != nil {
			t.Errorf("files of %d %%: %v", percent, err)
		}
		if s, _, _, err := Newest(dir); err != nil || s.Step() != want {
			t.Errorf("files of %d %%: %v", percent, err)
		}
		noTemporaries(t, dir)
		goOn(t, "without the limit", dir, 2, all[3])
		tried++
	}
	faulttest.Report(t, "9", tried)
}

func noTemporaries(t *testing.T, dir string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range left {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("left %s", path)
		}
	}
}
