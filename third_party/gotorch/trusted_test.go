package gotorch

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What lies where somebody works is opened only if nobody else could have put it
// there: it runs as this user.
func TestUntrustedLibrary(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(root string) error
		want   string // in place of being opened
	}{
		{"one's own", func(string) error { return nil }, ""},
		{"the group may write", func(root string) error { return os.Chmod(filepath.Join(root, "third_party"), 0o775) }, ""},
		{"a folder that everybody may write", func(root string) error { return os.Chmod(filepath.Join(root, "third_party/libtorch"), 0o777) }, "everybody may write"},
		{"a file that everybody may write", func(root string) error {
			return os.Chmod(filepath.Join(root, "third_party/libtorch/torch/lib/libtorch_cpu.so"), 0o666)
		}, "everybody may write"},
		{"another library that everybody may write", func(root string) error {
			return os.Chmod(filepath.Join(root, "third_party/libtorch/torch/lib/libc10.so"), 0o666)
		}, "everybody may write"},
		{"another library that is a link to where everybody may write", func(root string) error {
			lib, open := filepath.Join(root, "third_party/libtorch/torch/lib/libc10.so"), filepath.Join(filepath.Dir(root), "open")
			return errors.Join(os.Mkdir(open, 0o777), os.Chmod(open, 0o777), os.Rename(lib, filepath.Join(open, "libc10.so")), os.Symlink(filepath.Join(open, "libc10.so"), lib))
		}, "everybody may write"},
		{"one of NVIDIA's that everybody may write", func(root string) error {
			dir := filepath.Join(root, "third_party/libtorch/nvidia/cu13/lib")
			lib := filepath.Join(dir, "libcudart.so.13")
			return errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(lib, nil, 0o666), os.Chmod(lib, 0o666))
		}, "everybody may write"},
		{"another library of somebody else's", func(root string) error {
			return os.Chown(filepath.Join(root, "third_party/libtorch/torch/lib/libc10.so"), 12345, 12345)
		}, "libc10.so belongs to user 12345"},
		{"a folder like /tmp", func(root string) error { return os.Chmod(root, 0o777|os.ModeSticky) }, ""},
		{"a folder like /tmp, with somebody else's in it", func(root string) error {
			return errors.Join(os.Chmod(root, 0o777|os.ModeSticky), os.Chown(filepath.Join(root, "third_party"), 12345, 12345))
		}, "third_party belongs to user 12345"},
		{"a link to where everybody may write", func(root string) error {
			open := filepath.Join(filepath.Dir(root), "open")
			return errors.Join(os.Rename(filepath.Join(root, "third_party"), open), os.Chmod(open, 0o777), os.Symlink(open, filepath.Join(root, "third_party")))
		}, "everybody may write"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if strings.Contains(c.name, "somebody else's") && os.Getuid() != 0 {
				t.Skip("only root can make another's file")
			}
			root := repository(t, needed+".0+cpu")
			if err := c.change(root); err != nil {
				t.Fatal(err)
			}
			for _, what := range []string{"init", "first use"} {
				out := child(t, what, root, "LIBTORCH=")
				if got := strings.Contains(out, "is not opened"); got != (c.want != "") || !strings.Contains(out, c.want) {
					t.Errorf("%s: %q", what, out)
				}
				if c.want != "" && !strings.Contains(out, "LIBTORCH="+filepath.Join(root, "third_party/libtorch/torch")+" if you trust it") {
					t.Errorf("%s gives no remedy: %q", what, out)
				}
			}
		})
	}
}

// program is this test binary in the folder bin of a repository that everybody can get to, and the binding beside that.
func program(t *testing.T) (exe, root string) {
	t.Helper()
	from := repository(t, needed+".0+cpu")
	top, err := os.MkdirTemp("", "program")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(top) })
	root = filepath.Join(top, "shared")
	this, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	exe = filepath.Join(root, "bin/program")
	if err := errors.Join(os.Chmod(top, 0o755), os.Rename(from, root), os.Mkdir(filepath.Join(root, "bin"), 0o755), os.MkdirAll(filepath.Join(root, "lib"), 0o755),
		os.WriteFile(filepath.Join(root, "lib/libcgotorch.so"), nil, 0o644), os.WriteFile(exe, this, 0o755)); err != nil {
		t.Fatal(err)
	}
	return exe, root
}

// What lies beside the program's folder is opened only if nobody could have put it there who could not have put another
// program there.
func TestUntrustedBesideTheProgram(t *testing.T) {
	const other, third = 12345, 23456
	mode := func(mode os.FileMode, names ...string) func(string) error {
		return func(root string) (err error) {
			for _, name := range names {
				err = errors.Join(err, os.Chmod(filepath.Join(root, name), mode))
			}
			return err
		}
	}
	gives := func(uid int, names ...string) func(string) error { // a tree each
		return func(root string) (err error) {
			for _, name := range names {
				err = errors.Join(err, filepath.WalkDir(filepath.Join(root, name), func(p string, _ os.DirEntry, err error) error {
					return errors.Join(err, os.Lchown(p, uid, uid))
				}))
			}
			return err
		}
	}
	both := func(f ...func(string) error) func(string) error {
		return func(root string) (err error) {
			for _, f := range f {
				err = errors.Join(err, f(root))
			}
			return err
		}
	}
	beside := func(root string) error {
		return os.Rename(filepath.Join(root, "lib/libcgotorch.so"), filepath.Join(root, "bin/libcgotorch.so"))
	}
	for _, c := range []struct {
		name   string
		change func(root string) error
		as     uint32 // the user who runs it
		want   string // in place of being opened
	}{
		{"as it is unpacked", nil, 0, ""},
		{"a folder like /tmp", mode(0o777|os.ModeSticky, "."), 0, ""},
		{"a folder like /tmp, with somebody's libraries", both(mode(0o777|os.ModeSticky, "."), gives(other, "third_party")), 0, "belongs to user 12345: say LIBTORCH="},
		{"a folder like /tmp, with somebody's binding", both(mode(0o777|os.ModeSticky, "."), gives(other, "lib")), 0, "belongs to user 12345: mend that, or put the programs"},
		{"a folder like /tmp, with somebody's binding beside the program", both(mode(0o777|os.ModeSticky, "bin"), beside, gives(other, "bin/libcgotorch.so")), 0, "bin/libcgotorch.so belongs to user 12345"},
		{"the binding beside the program", beside, 0, ""},
		{"libraries that everybody may write", mode(0o777, "third_party"), 0, "everybody may write"},
		{"a binding that everybody may write", mode(0o666, "lib/libcgotorch.so"), 0, "everybody may write"},
		// As of a disk of Windows, which shows no other modes: whoever may write there can put another program there, too.
		{"everybody may write all of it", mode(0o777, ".", "bin", "bin/program", "third_party", "lib", "third_party/libtorch/torch/lib/libc10.so"), 0, ""},
		{"everybody may write all of it, with somebody's libraries", both(mode(0o777, ".", "bin", "third_party"), gives(other, "third_party")), 0, "belongs to user 12345"},
		{"all of it is somebody's", gives(other, "."), 0, ""},
		{"all of it is somebody's, the libraries another's", both(gives(other, "."), gives(third, "third_party")), 0, "belongs to user 23456"},
		{"the folder is somebody's, who can put another program there", both(gives(other, "."), gives(0, "bin")), 0, ""},
		{"root's, run by another", nil, other, ""},
		{"somebody's, run by another", gives(third, "."), other, ""},
		{"one's own libraries beside root's program", gives(other, "third_party"), other, ""},
		{"somebody's libraries beside root's program, run by another", gives(third, "third_party"), other, "belongs to user 23456"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if os.Getuid() != 0 && (c.as != 0 || strings.Contains(c.name, "somebody")) {
				t.Skip("only root can make another's file")
			}
			exe, root := program(t)
			if c.change != nil {
				if err := c.change(root); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command(exe, "-test.run=^TestChild$")
			if c.as != 0 {
				if err := eachName(root, func(_ string, st os.FileInfo) error {
					if st.Mode()&0o001 == 0 {
						return os.ErrPermission
					}
					return nil
				}); err != nil {
					t.Skip("another user does not get into the temporary folder")
				}
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: c.as, Gid: c.as}}
			}
			out := childOf(t, cmd, "init", "/", "LIBTORCH=", "LIBTORCH_USE_PYTORCH=")
			if got := strings.Contains(out, "is not opened"); got != (c.want != "") || !strings.Contains(out, c.want) {
				t.Errorf("%q", out)
			}
			if c.want == "" && !strings.Contains(out, "libtorch_cpu.so: file too short") {
				t.Errorf("the empty library was not opened: %q", out)
			}
		})
	}
}

// Of Python's torch the same holds; and no module in the working directory runs when Python is asked for it.
func TestUntrustedPython(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip(err)
	}
	packages := repository(t, needed+".0+cpu")
	torch := filepath.Join(packages, "third_party/libtorch/torch")
	if err := errors.Join(os.Rename(torch, filepath.Join(packages, "torch")), os.WriteFile(filepath.Join(packages, "torch/__init__.py"), nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	planted := t.TempDir()
	ran := filepath.Join(planted, "ran")
	if err := errors.Join(os.Mkdir(filepath.Join(planted, "lib"), 0o755), os.WriteFile(filepath.Join(planted, "lib/libcgotorch.so"), nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	for _, module := range []string{"importlib", "os", "torch", "sitecustomize", "usercustomize", "encodings"} {
		if err := errors.Join(os.Mkdir(filepath.Join(planted, module), 0o755),
			os.WriteFile(filepath.Join(planted, module, "__init__.py"), []byte("open("+pythonString(ran)+", 'a').write(__name__ + ' ')\n"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(path string) string {
		return child(t, "init", planted, "LIBTORCH=", "LIBTORCH_USE_PYTORCH=1", "PYTHONPATH="+path)
	}
	for _, c := range []struct {
		path, want string
	}{
		{packages, "libtorch cannot be opened"}, // the empty one
		{":" + packages, "libtorch cannot be opened"},
		{".:" + packages + ":", "libtorch cannot be opened"},
	} {
		if out := ask(c.path); !strings.Contains(out, c.want) || !strings.Contains(out, filepath.Join(packages, "torch/lib")) {
			t.Errorf("PYTHONPATH=%s: %q", c.path, out)
		}
	}
	if err := os.Chmod(filepath.Join(packages, "torch/lib"), 0o777); err != nil {
		t.Fatal(err)
	}
	out := ask(packages)
	for _, want := range []string{"is not opened", "everybody may write", "say LIBTORCH=" + filepath.Join(packages, "torch") + " if you trust it, or unset LIBTORCH_USE_PYTORCH"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q lacks %q", out, want)
		}
	}
	if names, err := os.ReadFile(ran); err == nil {
		t.Errorf("modules of the working directory ran: %s", names)
	}
}

func pythonString(s string) string { return "'" + strings.ReplaceAll(s, "'", "\\'") + "'" }

// What runs from beside the program, as its set-up script does, is checked as a whole.
func TestCheckBeside(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "lib.sh")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := CheckBeside(dir); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(file, 0o666); err != nil {
		t.Fatal(err)
	}
	var untrusted *UntrustedError
	if err := CheckBeside(dir); !errors.As(err, &untrusted) || untrusted.Path != file || !strings.Contains(err.Error(), "put the programs into a folder of your own") {
		t.Errorf("%v", err)
	}
}
