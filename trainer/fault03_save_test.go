package trainer

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/wangkuiyi/gotorch/disk"
	"github.com/wangkuiyi/gotorch/disk/disktest"
	"github.com/wangkuiyi/gotorch/faulttest"
)

// Each operation of a save fails in each way, once and for good: state.pth is the one before or the new one, byte for
// byte, the message names path and operation, and no temporary is left.
func TestEveryFaultOfASave(t *testing.T) {
	const dir = "/run"
	all := states(t, 6)
	old, fresh := rendered(t, all[3]), rendered(t, all[4])
	tried := 0
	for _, keep := range []int{2, 4} {
		for _, own := range []bool{true, false} { // a process that has saved before, and one that goes on
			if keep == 2 != own && !faulttest.Long() {
				continue
			}
			base := savedIn(t, dir, keep, all[:4])
			wanted := func(of *disktest.Failing, op disktest.Op) bool { // nine in ten operations are reads
				return op.Name != "read" || faulttest.Long() || !of.ForGood && of.Err == syscall.EIO
			}
			for f := range disktest.Failures(t, base, wanted, func() error { return (&Folder{Dir: dir, Keep: keep, own: own}).Save(all[4]) }) {
				tried++
				what, err, m, op, failing := f.What, f.Err, f.On, f.Op, f.Of
				b, rerr := m.ReadFile(dir + "/" + StateFile)
				switch {
				case rerr != nil || !bytes.Equal(b, old) && !bytes.Equal(b, fresh):
					t.Errorf("%s: state.pth is neither the one before nor the new one, %v", what, rerr)
				case err == nil && !bytes.Equal(b, fresh):
					t.Errorf("%s: a success without the new state", what)
				case err == nil && !bearable(op):
					t.Errorf("%s: nobody says so", what)
				case err != nil && (!errors.Is(err, failing.Err) || !strings.Contains(err.Error(), dir) || !names(err, op)):
					t.Errorf("%s: the message is %v", what, err)
				}
				syncs := 0
				for _, o := range failing.Ops() {
					if o.Name == "fsync" && o.Path == op.Path && op.Name == "fsync" {
						syncs++
					}
				}
				if syncs > 1 {
					t.Errorf("%s: that file was synced again", what)
				}
				if op.Name != "remove" {
					for _, name := range m.Names(dir) {
						if strings.HasPrefix(name, ".") {
							t.Errorf("%s: left %s", what, name)
						}
					}
				}
				if s, _, _, err := Newest(dir); err != nil || s.Step() < 3 {
					t.Errorf("%s: %v", what, err)
				}
				goOn(t, what, dir, keep, all[5])
			}
		}
	}
	faulttest.Report(t, "3", tried)
}

// savedIn is a disk with a run's folder in which states were saved.
func savedIn(t *testing.T, dir string, keep int, all []*State) *disktest.Memory {
	t.Helper()
	m := disktest.NewMemory(dir)
	defer disk.Use(m)()
	f := &Folder{Dir: dir, Keep: keep}
	for _, s := range all {
		if err := f.Save(s); err != nil {
			t.Fatal(err)
		}
	}
	return m.Clone()
}

// bearable tells an operation whose failing costs nothing: to remove what is not needed any more, or to look whether
// there is something.
func bearable(op disktest.Op) bool { return op.Name == "remove" || op.Name == "stat" }

// names tells whether a message names the operation.
func names(err error, op disktest.Op) bool {
	words := map[string][]string{
		"create": {"create"}, "open": {"open"}, "open folder": {"open the folder"}, "fsync folder": {"fsync the folder", "fsync"},
		"list": {"list", "removed"}, "stat": {""}, "remove": {""}, // of these two the operation that follows
	}[op.Name]
	if words == nil {
		words = []string{op.Name}
	}
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(err.Error(), w) })
}
