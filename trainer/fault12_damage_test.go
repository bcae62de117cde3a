package trainer

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wangkuiyi/gotorch/disk"
	"github.com/wangkuiyi/gotorch/disk/disktest"
	"github.com/wangkuiyi/gotorch/faulttest"
	"github.com/wangkuiyi/gotorch/regular"
)

// The newest k of five states damaged, in any way: the newest whole one is taken and the others are kept. One that
// cannot be read, or a folder that cannot be listed, ends the matter with nothing touched.
func TestDamagedOfFive(t *testing.T) {
	const dir = "/run"
	all := states(t, 7)
	base := savedIn(t, dir, 5, all[:6])
	files := []string{StateFile, PrevStateFile, "state-3.pth", "state-2.pth", "state-1.pth"} // of steps 5 to 1
	other, err := base.ReadFile(dir + "/" + CheckpointFile)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(12, 1))
	damages := map[string]func(b []byte) []byte{
		"empty":    func([]byte) []byte { return nil },
		"cut":      func(b []byte) []byte { return b[:random.IntN(len(b))] },
		"cut by 1": func(b []byte) []byte { return b[:len(b)-1] },
		"longer":   func(b []byte) []byte { return append(b, 0) },
		"flipped":  func(b []byte) []byte { b[random.IntN(len(b))] ^= 1 << random.IntN(8); return b },
		"zeros":    func(b []byte) []byte { clear(b); return b },
		"a hole":   func(b []byte) []byte { clear(b[512:1024]); return b },
		"text":     func([]byte) []byte { return []byte("<html>not found</html>") },
		"weights":  func([]byte) []byte { return other },
		"a half":   func(b []byte) []byte { return b[len(b)/2:] },
		"two":      func(b []byte) []byte { return append(b, b...) },
		"swapped":  func(b []byte) []byte { b[100], b[5000] = b[5000]+1, b[100]; return b },
		"no record": func(b []byte) []byte {
			return []byte(strings.Replace(string(b), "flowmatch.json", "flowmatch.jsoN", 2))
		},
	}
	tried := 0
	for name, damage := range damages {
		for k := 1; k <= 5; k++ {
			m := base.Clone()
			for _, file := range files[:k] {
				b, err := m.ReadFile(dir + "/" + file)
				if err != nil {
					t.Fatal(err)
				}
				if err := m.WriteFile(dir+"/"+file, damage(b)); err != nil {
					t.Fatal(err)
				}
			}
			restore := disk.Use(m)
			what := fmt.Sprintf("%s, %d of 5", name, k)
			s, at, passed, err := Newest(dir)
			if k == 5 {
				if err == nil || !strings.Contains(err.Error(), "none of its states") {
					t.Errorf("%s: %v", what, err)
				}
			} else if err != nil || s.Step() != 5-k || at != files[k] || len(passed) != k {
				t.Errorf("%s: %s, %v", what, at, err)
			} else if kept, err := (&Folder{Dir: dir, Keep: 5}).KeepDamaged(passed); err != nil || len(kept) != k || kept[0] != StateFile+".damaged" {
				t.Errorf("%s: kept %v, %v", what, kept, err)
			} else {
				goOn(t, what, dir, 5, all[6])
			}
			restore()
			tried++
		}
	}
	for _, file := range append(files[:1:1], "") { // it cannot be read, or the folder not be listed
		good := &disktest.Failing{FS: base.Clone()}
		restore := disk.Use(good)
		if _, _, _, err := Newest(dir); err != nil {
			t.Fatal(err)
		}
		restore()
		for i, op := range good.Ops() {
			if op.Name == "close" || file == "" != (op.Name == "list") {
				continue
			}
			m := base.Clone()
			before := m.Effects()
			restore := disk.Use(&disktest.Failing{FS: m, At: i + 1, Err: syscall.EIO})
			if _, _, _, err := Newest(dir); !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "nothing was changed") {
				t.Errorf("%s %s: %v", op.Name, op.Path, err)
			}
			restore()
			if m.Effects() != before {
				t.Errorf("%s %s: something was changed", op.Name, op.Path)
			}
			tried++
		}
	}
	faulttest.Report(t, "12", tried)
}

// A state behind a link to what is not there, on a disk that is not mounted, is not absent: the older one is not gone on
// with, and nothing takes its place.
func TestStateBehindALinkToNothing(t *testing.T) {
	dir := t.TempDir()
	smallRun(t, dir)
	s, err := ReadState(filepath.Join(dir, PrevStateFile))
	if err != nil {
		t.Fatal(err)
	}
	prev, err := os.ReadFile(filepath.Join(dir, PrevStateFile))
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, StateFile)
	if err := errors.Join(os.Rename(link, filepath.Join(t.TempDir(), "away")), os.Symlink("/nonexistent/"+StateFile, link)); err != nil {
		t.Fatal(err)
	}
	if _, _, passed, err := Newest(dir); !errors.Is(err, regular.ErrDangling) || len(passed) > 0 || !strings.Contains(err.Error(), "nothing was changed") {
		t.Errorf("%v, passed over %v", err, passed)
	}
	if err := (&Folder{Dir: dir, Keep: 2}).Save(s); !errors.Is(err, regular.ErrDangling) {
		t.Errorf("saving: %v", err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, PrevStateFile)); err != nil || !bytes.Equal(got, prev) {
		t.Errorf("the older state was changed, %v", err)
	}
	if to, err := os.Readlink(link); err != nil || to != "/nonexistent/"+StateFile {
		t.Errorf("the link was changed: %q, %v", to, err)
	}
}
