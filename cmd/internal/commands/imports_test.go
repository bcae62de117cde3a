package commands

import (
	"fmt"
	"go/build"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	importsBegin = "<!-- What imports what begins: go test ./cmd/internal/commands -run README -update -->\n"
	importsEnd   = "<!-- What imports what ends. -->\n"
)

const binding = "github.com/wangkuiyi/gotorch"

const upwards = ", which is above it\n"

// layers are the folders with Go packages, none of which imports one above it. The
// binding's plain Go, which needs no libtorch, counts as a folder of its own.
var layers = []string{"cmd", "scripts", "viz", "trainer", "models", "flow", "datasets", "gotorch", "its plain Go"}

// TestREADMEImports: the drawing in the README is of the packages' own imports, those of
// tests left out.
func TestREADMEImports(t *testing.T) {
	uses := imports(t, filepath.Join("..", "..", ".."))
	for user := range uses {
		if !slices.Contains(layers, user) {
			t.Fatalf("%s is a folder with packages, and the drawing has no place for it", user)
		}
	}
	drawing := drawn(uses)
	if strings.Contains(drawing, upwards) {
		t.Fatal(drawing)
	}
	madeOf(t, importsBegin, importsEnd, "\n```\n"+drawing+"```\n\n")
}

// A drawing shows each edge, and one that points upwards is refused.
func TestDrawn(t *testing.T) {
	got := drawn(map[string]map[string]bool{
		"cmd": {"trainer": true, "flow": true}, "trainer": {"flow": true}, "flow": {"its plain Go": true},
	})
	if want := `cmd            ●
scripts        │
viz            │
trainer       ◀┤  ●
models         │  │
flow          ◀┘ ◀┘  ●
datasets             │
gotorch              │
its plain Go        ◀┘
`; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := drawn(map[string]map[string]bool{"flow": {"trainer": true}}); !strings.Contains(got, "flow imports trainer") {
		t.Errorf("got\n%s", got)
	}
}

// drawn has a row for each layer, and a column for each that imports others: down from
// its ●, with an arrow at each of them.
func drawn(uses map[string]map[string]bool) string {
	var b strings.Builder
	for row, name := range layers {
		line := fmt.Sprintf("%-12s ", name)
		for column, user := range layers {
			last := -1
			for used := range uses[user] {
				if at := slices.Index(layers, used); at < column {
					return user + " imports " + used + upwards
				} else if at > last {
					last = at
				}
			}
			switch {
			case last < 0: // it has no column
			case row == column:
				line += "  ●"
			case row < column || row > last:
				line += "   "
			case row == last:
				line += " ◀┘"
			case uses[user][name]:
				line += " ◀┤"
			default:
				line += "  │"
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// imports are the layers that each layer's packages import.
func imports(t *testing.T, root string) map[string]map[string]bool {
	context := build.Default
	context.CgoEnabled = true
	packages := map[string][]string{}
	err := filepath.WalkDir(root, func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, dir)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if name != "." && name[0] == '.' || d.Name() == "testdata" || name == "outputs" || name == "third_party/libtorch" || name == "third_party/go" {
			return filepath.SkipDir
		}
		p, err := context.ImportDir(dir, 0)
		if _, none := err.(*build.NoGoError); none || err == nil && len(p.GoFiles)+len(p.CgoFiles) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		path := "flowmatch/" + name
		if rest, ok := strings.CutPrefix(name, "third_party/gotorch"); ok {
			path = binding + rest
		}
		packages[path] = p.Imports
		return nil
	})
	if err != nil || len(packages) < 50 {
		t.Fatalf("%d packages: %v", len(packages), err)
	}
	uses := map[string]map[string]bool{}
	for path, all := range packages {
		user := layer(packages, path)
		if uses[user] == nil {
			uses[user] = map[string]bool{}
		}
		for _, used := range all {
			if _, own := packages[used]; own && layer(packages, used) != user {
				uses[user][layer(packages, used)] = true
			}
		}
	}
	return uses
}

// layer is the folder of a package; of one of the binding, whether it needs libtorch.
func layer(packages map[string][]string, path string) string {
	if !strings.HasPrefix(path, binding) {
		return strings.Split(path, "/")[1]
	}
	seen := map[string]bool{path: true}
	for more := true; more; {
		more = false
		for at := range maps.Clone(seen) {
			for _, used := range packages[at] {
				if _, own := packages[used]; own && !seen[used] {
					seen[used], more = true, true
				}
			}
		}
	}
	if seen[binding] {
		return "gotorch"
	}
	return "its plain Go"
}
