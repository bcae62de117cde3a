package e2e

import (
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The README's "Use it from Go", done by its own words: the program is no longer than 40
// lines, and runs in a module of its own.
func TestUseItFromGo(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("go is not on PATH")
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(readme), "\n## Use it from Go\n")
	section, _, _ = strings.Cut(section, "\n## ")
	program, commands := fenced(section, "go"), fenced(section, "sh")
	if !ok || program == "" || commands == "" {
		t.Fatal("README.md has no such section, with a program and commands")
	}
	if n := strings.Count(program, "\n"); n > 40 {
		t.Errorf("%d lines of program", n)
	}
	dir := t.TempDir()
	sums, err := os.ReadFile(filepath.Join(root, "go.sum")) // no network is needed to check them
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"main.go": program, "go.sum": string(sums)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("bash", "-e", "-c", commands)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "FLOWMATCH="+root, "GOFLAGS=", "GOWORK=off")
	if r := finish(t, cmd); r.status != 0 {
		t.Fatalf("status %d\n%s%s", r.status, r.out, r.errOut)
	}
	f, err := os.Open(filepath.Join(dir, "moons.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	picture, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if b := picture.Bounds(); b.Dx() < 600 || b.Dy() < 600 {
		t.Errorf("the picture is of %v", b)
	}
}

// fenced is the first block of a language in a text of Markdown.
func fenced(text, language string) string {
	_, block, ok := strings.Cut(text, "\n```"+language+"\n")
	if !ok {
		return ""
	}
	block, _, _ = strings.Cut(block, "```\n")
	return block
}
