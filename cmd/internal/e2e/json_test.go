package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// With --json a command's standard output is one document, or lines with a type of which
// the last is a summary; the files that it names are there.
func TestJSON(t *testing.T) {
	dir := t.TempDir()
	ckpt := filepath.Join(dir, "cfm", "digits", "ckpt.pth")
	for _, c := range []struct {
		program string
		args    []string
		keys    []string // of the last line
		lines   int
	}{
		{"train", tiny(dir, "--max-steps", "2", "--json", "--no-figures"), []string{"files", "steps", "pace"}, 1},
		{"train", tiny(dir, "--dry-run", "--json"), []string{"values", "from", "parameters", "steps", "peak_bytes"}, 1},
		{"train", tiny(dir, "--summary", "--json"), []string{"layers", "parameters"}, 1},
		{"sample", []string{"--dataset", "digits", "--output-dir", dir, "--samples-per-class", "1", "--steps", "1", "--frames", "2", "--json"}, []string{"files", "samples", "solver", "nfe", "seconds"}, 1},
		{"sample", []string{"--checkpoint", ckpt, "--samples-per-class", "1", "--steps", "1", "--no-figures", "--json"}, []string{"files", "samples"}, 1},
		{"reflow", []string{"--dataset", "digits", "--output-dir", dir, "--pairs", "16", "--batch-size", "16", "--steps", "1", "--rounds", "2", "--iterations", "2", "--no-figures", "--json"}, []string{"type", "files", "teacher", "solver", "seconds"}, 3},
		{"compare", []string{"--dataset", "digits", "--output-dir", dir, "--steps", "1", "--json"}, []string{"dataset", "models", "figure"}, 1},
		{"convert", []string{ckpt, filepath.Join(dir, "a.safetensors"), "--json"}, []string{"files"}, 1},
		{"convert", []string{"--list", ckpt, "--json"}, []string{"file", "entries", "tensors", "numbers", "record"}, 1},
	} {
		r := must(t, program(t, c.program, nil, c.args...))
		lines := strings.Split(strings.TrimSuffix(r.out, "\n"), "\n")
		if len(lines) != c.lines {
			t.Errorf("%s %q: %d lines, want %d: %s", c.program, c.args, len(lines), c.lines, r.out)
		}
		var all map[string]any
		for k, line := range lines {
			all = nil
			if err := json.Unmarshal([]byte(line), &all); err != nil {
				t.Fatalf("%s %q: %v: %s", c.program, c.args, err, line)
			}
			if last := k == len(lines)-1; c.lines > 1 && (all["type"] == "summary") != last {
				t.Errorf("%s: line %d is of type %v", c.program, k, all["type"])
			}
			files, _ := all["files"].([]any)
			for _, f := range files {
				if _, err := os.Stat(f.(string)); err != nil {
					t.Errorf("%s: %v", c.program, err)
				}
			}
		}
		for _, key := range c.keys {
			if _, ok := all[key]; !ok {
				t.Errorf("%s %q: no %s in %s", c.program, c.args, key, r.out)
			}
		}
	}
}
