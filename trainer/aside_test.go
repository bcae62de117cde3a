package trainer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wangkuiyi/gotorch/regular"
)

// What lies at the name of a file of pairs and is none is kept: a link by itself, and what it leads to as it was.
func TestPairsSpareWhatIsNotTheirs(t *testing.T) {
	const precious = "precious"
	long := strings.Repeat(precious, 9)
	for name, c := range map[string]struct {
		lay  func(t *testing.T, dir, path string)
		kept string // what is at <path>.damaged after that
	}{
		"a file":      {func(t *testing.T, _, path string) { writeText(t, path, precious) }, precious},
		"a long file": {func(t *testing.T, _, path string) { writeText(t, path, long) }, long},
		"zeros":       {func(t *testing.T, _, path string) { writeText(t, path, strings.Repeat("\x00", 99)) }, strings.Repeat("\x00", 99)},
		"a link": {func(t *testing.T, dir, path string) {
			writeText(t, filepath.Join(dir, "precious.txt"), precious)
			if err := os.Symlink("../precious.txt", path); err != nil {
				t.Fatal(err)
			}
		}, precious},
	} {
		t.Run(name, func(t *testing.T) {
			dir, calls := t.TempDir(), 0
			p := &Pairs{Teacher: driftTeacher(t, 0, &calls), Config: ReflowConfig{Pairs: 6, Round: 1}, Seed: 1, Dir: filepath.Join(dir, PairsDir), PerFile: 6}
			var notes []string
			load := func() error {
				notes = nil
				return p.Load(context.Background(), func(int, int) {}, func(s string) { notes = append(notes, s) })
			}
			if err := os.Mkdir(p.Dir, 0o777); err != nil {
				t.Fatal(err)
			}
			path := p.file(0)
			c.lay(t, dir, path)
			if err := load(); err != nil || len(notes) != 1 || !strings.Contains(notes[0], "kept as 00000.safetensors.damaged") {
				t.Errorf("%v, notes %q", err, notes)
			}
			if b, err := os.ReadFile(path + ".damaged"); err != nil || string(b) != c.kept {
				t.Errorf("%q was kept, %v", b, err)
			}
			if b, err := os.ReadFile(filepath.Join(dir, "precious.txt")); err == nil && string(b) != precious {
				t.Errorf("what the link led to is %d bytes now", len(b))
			}
			calls = 0
			if err := load(); err != nil || notes != nil || calls != 0 {
				t.Errorf("not drawn anew: %v, notes %q", err, notes)
			}
		})
	}
}

// Nothing is put in the place of what a link stands for that is not there now.
func TestPairsBehindADanglingLink(t *testing.T) {
	dir, calls := t.TempDir(), 0
	p := &Pairs{Teacher: driftTeacher(t, 0, &calls), Config: ReflowConfig{Pairs: 6, Round: 1}, Seed: 1, Dir: dir, PerFile: 6}
	if err := os.Symlink("elsewhere", p.file(0)); err != nil {
		t.Fatal(err)
	}
	if err := p.Load(context.Background(), func(int, int) {}, func(string) {}); !errors.Is(err, regular.ErrDangling) || calls != 0 {
		t.Errorf("%v", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "elsewhere")); err == nil {
		t.Error("it was written there")
	}
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
