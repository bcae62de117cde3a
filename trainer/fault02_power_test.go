package trainer

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/disk"
	"github.com/wangkuiyi/gotorch/disk/disktest"
	"github.com/wangkuiyi/gotorch/faulttest"
	"github.com/wangkuiyi/gotorch/pth"
)

// states are those of a run of points after its first steps, without training: of equal sizes, and different.
func states(t *testing.T, n int) []*State {
	t.Helper()
	r := planeRun(t, config(n), t.TempDir())
	e := newEngine(r.Config, r.Network, torch.CPU)
	t.Cleanup(e.close)
	l := loop{Run: r, e: e}
	l.observe()
	var all []*State
	for step := range n {
		torch.NoGrad(func() { e.params[0].FillI(float64(step)) })
		all = append(all, l.after(t, step))
	}
	return all
}

// rendered is a state's file.
func rendered(t *testing.T, s *State) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := pth.Write(&b, s.file); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A power cut at any moment of a save, with any part of what was not yet certain lost or torn, leaves the state before or
// the new one, and after the save the new one. The run goes on from what is there.
func TestPowerLoss(t *testing.T) {
	const kept, dir = 3, "/run"
	all := states(t, 6)
	type disks struct {
		m       *disktest.Memory
		effects int // of the save
	}
	var saved []disks
	for _, noLinks := range []bool{false, true} {
		m := savedIn(t, dir, kept, all[:4])
		m.NoLinks = noLinks
		restore := disk.Use(m)
		if err := (&Folder{Dir: dir, Keep: kept}).Save(all[4]); err != nil {
			t.Fatal(err)
		}
		saved = append(saved, disks{m, m.Effects()})
		restore()
	}
	for i := range faulttest.Cases(t, "2", 800) {
		random := rand.New(rand.NewPCG(2, uint64(i)))
		d := saved[i%2]
		at := random.IntN(d.effects + 1)
		left := d.m.Crash(at, random)
		restore := disk.Use(left)
		what := fmt.Sprintf("case %d, cut after %d of %d effects", i, at, d.effects)
		s, name, _, err := Newest(dir)
		switch {
		case err != nil:
			t.Errorf("%s: %v; there are %v", what, err, left.Names(dir))
		case s.Step() != 4 && (s.Step() != 3 || at == d.effects):
			t.Errorf("%s: the state is of step %d", what, s.Step())
		case name != StateFile && !d.m.NoLinks:
			t.Errorf("%s: there is no %s for a moment", what, StateFile)
		}
		if ck, err := ReadCheckpoint(filepath.Join(dir, CheckpointFile)); err != nil || ck.Record.Training.Step != 4 && (ck.Record.Training.Step != 3 || at == d.effects) {
			t.Errorf("%s: ckpt.pth: %v", what, err)
		}
		if err == nil {
			goOn(t, what, dir, kept, all[5])
		}
		restore()
	}
}

// goOn is what the next process does: it sweeps, and its save is as good as any.
func goOn(t *testing.T, what, dir string, keep int, s *State) {
	t.Helper()
	f := &Folder{Dir: dir, Keep: keep}
	f.sweep()
	if err := f.Save(s); err != nil {
		t.Errorf("%s: the next save: %v", what, err)
		return
	}
	if now, name, _, err := Newest(dir); err != nil || name != StateFile || now.Step() != s.Step() {
		t.Errorf("%s: after the next save: %s, %v", what, name, err)
	}
}

// A disk that writes a byte wrongly, and says nothing, costs the new state and never one before.
func TestWrongByteIsReadBack(t *testing.T) {
	const dir = "/run"
	all := states(t, 3)
	size := len(rendered(t, all[2]))
	n := 0
	for at := 1; at <= size; at += 1 + size/60 {
		m := savedIn(t, dir, 2, all[:2])
		restore := disk.Use(m)
		m.WrongByte = at + m.Written()
		if err := (&Folder{Dir: dir, Keep: 2}).Save(all[2]); err == nil {
			t.Errorf("byte %d is wrong on the disk, and the save was a success", at)
		}
		if b, err := m.ReadFile(dir + "/" + StateFile); err != nil || !bytes.Equal(b, rendered(t, all[1])) {
			t.Errorf("byte %d: the state before has changed, %v", at, err)
		}
		restore()
		n++
	}
	t.Logf("%d wrong bytes noticed", n)
}
