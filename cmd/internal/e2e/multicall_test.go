package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The programs of bin are one file, which is found out by its name, by that of what a link
// leads to, or by its first argument.
func TestOneFileIsEveryProgram(t *testing.T) {
	at := func(name string) string { return filepath.Join(root, "bin", name) }
	train, err := os.Stat(at("train"))
	if err != nil {
		t.Fatal(err)
	}
	if sample, err := os.Stat(at("sample")); err != nil || sample.Size() != train.Size() {
		t.Errorf("bin/sample is not the file that bin/train is: %v", err)
	}
	dir := t.TempDir()
	draw, flowmatch := filepath.Join(dir, "draw"), filepath.Join(dir, "flowmatch")
	if err := os.Symlink(at("sample"), draw); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(at("train"), flowmatch); err != nil {
		data := read(t, at("train")) // another file system
		if err := os.WriteFile(flowmatch, data, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		exe  string
		args []string
		want string
	}{
		{at("evaluate"), nil, "flowmatch evaluate "},
		{draw, nil, "flowmatch sample "},
		{flowmatch, []string{"reflow"}, "flowmatch reflow "},
	} {
		r := must(t, runAt(t, dir, test.exe, append(test.args, "--version")...))
		if !strings.HasPrefix(r.out, test.want) {
			t.Errorf("%s %q prints %q, want %q", test.exe, test.args, r.out, test.want)
		}
	}
	refused(t, runAt(t, dir, flowmatch, "--dataset", "digits"), 2, "train, sample, reflow")
}
