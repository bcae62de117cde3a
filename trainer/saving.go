package trainer

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"
)

// saveDue tells whether the state is to be saved after this step.
func (l *loop) saveDue() bool {
	if l.done == l.total() || l.Folder == nil {
		return false // saved after the loop, or nowhere
	}
	if l.CheckpointEvery > 0 {
		return l.done%l.CheckpointEvery == 0
	}
	return time.Since(l.lastSave) >= 5*time.Minute
}

// save looks at the device and writes the folder's files. Its errors are a divergence,
// which is no reason to save nothing, an observer's, or of files.
func (l *loop) save() error {
	return l.writeAfter(l.settle())
}

// writeAfter saves the state of a run that something was found in. That a diverged run's weights cannot be saved is the
// divergence that was found, once more.
func (l *loop) writeAfter(found error) error {
	err := l.write()
	var before, again *DivergedError
	if errors.As(found, &before) && errors.As(err, &again) {
		return found
	}
	return errors.Join(found, err)
}

// settle brings what is known of the run up to its last step.
func (l *loop) settle() error {
	var found error
	if l.e.filled > 0 {
		found = l.look()
	}
	for _, o := range l.observers {
		if err := o.Flush(); err != nil && !l.tolerate(o, err) {
			found = errors.Join(found, err)
		}
	}
	return found
}

// write saves the state. After a step that was no update the states before stay: they
// are the last good ones.
func (l *loop) write() error {
	if (l.watch.row > 0 || l.watch.verdict() != nil) && l.Folder.HoldsState() {
		return nil
	}
	s, err := l.e.snapshot(l.record(), l.losses, l.norms)
	if err != nil {
		return err
	}
	l.checkpoint = &Checkpoint{Path: "the run", Record: s.Record, Tensors: s.checkpoint().Tensors}
	if l.Folder == nil {
		return nil
	}
	if err := l.Folder.Save(s); err != nil {
		return err
	}
	l.lastSave, l.saved, l.unsaved = time.Now(), l.done, ""
	return l.mend()
}

// interim saves while the run goes, but not while the loss is high. A save that fails, for want of space above all,
// does not end the run: it is tried again at the next interval.
func (l *loop) interim() error {
	if err := l.settle(); err != nil {
		return l.writeAfter(err)
	}
	if l.watch.high > 0 && l.Folder.HoldsState() {
		return nil
	}
	err := l.write()
	var d *DivergedError
	if err == nil || errors.As(err, &d) {
		return err
	}
	l.lastSave = time.Now()
	say := l.warn
	if l.unsaved == err.Error() { // is known
		say = l.note
	}
	l.unsaved = err.Error()
	say(fmt.Sprintf("step %d: %v; the run goes on, and the next save is the next try", l.done, err))
	return nil
}

// stepBack puts the state before the newest one in its place, if that led straight into
// the divergence.
func (l *loop) stepBack(d *DivergedError) error {
	first := d.Step
	if l.watch.high > 0 {
		first = min(first, l.watch.highSince)
	}
	if l.saved > 0 && l.saved+1 >= first {
		step, err := l.Folder.StepBack()
		if step > 0 {
			l.note(fmt.Sprintf("the newest state is that of step %d; the one after it is kept as %s", step, divergedState))
		}
		return err
	}
	return nil
}

// tolerate notes that an observer's file cannot be written, which is no reason to end a
// run.
func (l *loop) tolerate(o Observer, err error) bool {
	r, ok := o.(Restarter)
	if ok && !slices.Contains(l.torn, r) {
		l.torn = append(l.torn, r)
		l.warn(fmt.Sprintf("%v; the run goes on, and that is written anew with the next save", err))
	}
	return ok
}

// mend begins anew what could not be written.
func (l *loop) mend() error {
	for len(l.torn) > 0 {
		if err := l.torn[0].Restart(l.metrics(l.losses, l.norms, 0)); err != nil {
			return err
		}
		l.torn = l.torn[1:]
	}
	return nil
}

// noteSpace says before the first step where the disk has no room for the states that
// are there together at a save.
func (l *loop) noteSpace() {
	if l.Folder == nil {
		return
	}
	free, ok := freeSpace(l.Folder.Dir)
	if !ok {
		return
	}
	weights, states := int64(0), int64(4)
	for _, p := range l.e.params {
		weights += p.Numel() * 4
	}
	if l.e.ema == nil {
		states--
	}
	need := weights // ckpt.pth
	for range 3 {
		need += states * weights
	}
	for _, name := range []string{StateFile, PrevStateFile} {
		if info, err := os.Stat(l.Folder.path(name)); err == nil {
			need -= info.Size()
		}
	}
	if free < need {
		l.warn(fmt.Sprintf("%s has %d MB of free space, and saving takes %d MB; saves may fail", l.Folder.Dir, free>>20, need>>20+1))
	}
}

// freeSpace is the room that is left in a folder, false where nobody knows.
var freeSpace = func(dir string) (int64, bool) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		return 0, false
	}
	return int64(disk.Bavail) * disk.Bsize, true
}
