package figures

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestAside(t *testing.T) {
	dir := t.TempDir()
	png, gif := filepath.Join(dir, "final_samples.png"), filepath.Join(dir, "trajectory.gif")
	put := func(path, text string) {
		t.Helper()
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil { // a new file, as atomicfile makes one
			t.Fatal(err)
		}
	}
	draw := func(pngText, gifText string, want ...string) {
		t.Helper()
		a, err := SetAside(png, gif)
		if err != nil {
			t.Fatal(err)
		}
		for path, text := range map[string]string{png: pngText, gif: gifText} {
			if text != "" {
				put(path, text)
			}
		}
		var names []string
		for _, n := range a.Settle() {
			names = append(names, filepath.Base(n))
		}
		if !slices.Equal(names, want) {
			t.Errorf("kept %v, want %v", names, want)
		}
	}
	draw("one", "one")
	draw("two", "two", "final_samples-001.png", "trajectory-001.gif")
	draw("three", "", "final_samples-002.png") // the film failed
	draw("", "")                               // both did
	draw("four", "four", "final_samples-003.png", "trajectory-003.gif")
	put(filepath.Join(dir, "final_samples-0999.png"), "by hand")
	draw("five", "five", "final_samples-1000.png", "trajectory-1000.gif")
	for name, want := range map[string]string{
		"final_samples.png": "five", "final_samples-1000.png": "four", "final_samples-003.png": "three", "final_samples-002.png": "two", "final_samples-001.png": "one",
		"trajectory.gif": "five", "trajectory-1000.gif": "four", "trajectory-003.gif": "two", "trajectory-001.gif": "one",
	} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v, want %q", name, got, err, want)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 10 {
		t.Errorf("the folder holds %v", entries)
	}
}

// A link is the user's: where it leads is written, and nothing is kept.
func TestAsideLeavesLinks(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "final_samples.png")
	if err := os.Symlink("x.png", link); err != nil {
		t.Fatal(err)
	}
	a, err := SetAside(link)
	if names := a.Settle(); err != nil || names != nil {
		t.Errorf("%v, %v", names, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("the folder holds %v", entries)
	}
}
