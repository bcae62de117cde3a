package disktest

import (
	"iter"
	"testing"

	"github.com/wangkuiyi/gotorch/disk"
)

// Failure is what became of something that was done while an operation failed.
type Failure struct {
	Op
	Of   *Failing
	Err  error   // of what was done
	On   *Memory // the disk as that left it, which is the one in use, without a fault
	What string  // failed: "fsync /run/state.pth: no space left on device"
}

// Failures does something on copies of a disk while one operation after the other fails, as [EveryFault] has them, of
// those that wanted is true of; nil stands for all. Undisturbed it must succeed.
func Failures(t testing.TB, base *Memory, wanted func(*Failing, Op) bool, do func() error) iter.Seq[Failure] {
	t.Helper()
	return func(yield func(Failure) bool) {
		for failing, op := range EveryFault(base) {
			if failing.At > 0 && wanted != nil && !wanted(failing, op) {
				continue
			}
			m := base.Clone()
			failing.FS = m
			restore := disk.Use(failing)
			err := do()
			disk.Use(m)
			more := true
			switch {
			case failing.At > 0:
				more = yield(Failure{op, failing, err, m, op.Name + " " + op.Path + ": " + failing.Err.Error()})
			case err != nil:
				restore()
				t.Fatal(err)
			}
			restore()
			if !more {
				return
			}
		}
	}
}
