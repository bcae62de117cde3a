package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var flagName = regexp.MustCompile("(^|[\\s\"'`(])--[a-z]")

// speakOfFlags are folders outside cmd whose code may name flags.
var speakOfFlags = map[string]string{
	"cmd":                 "whose flags they are",
	"scripts/benchfigure": "a program too: it says how to run scripts/bench for its input",
}

// Libraries know no flags: what they say, in texts and comments, holds for whoever calls
// them. A flag's name belongs to remedies.go, or to a field's name in flags.
func TestLibrariesNameNoFlags(t *testing.T) {
	const root = "../../.."
	files := 0
	check := func(set *token.FileSet, at token.Pos, text string) {
		if flagName.MatchString(text) {
			t.Errorf("%s: %s", set.Position(at), text)
		}
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (speakOfFlags[name] != "" || name != "." && (name[0] == '.' || d.Name() == "testdata")):
			return filepath.SkipDir
		case d.IsDir(), !strings.HasSuffix(name, ".go"):
			return nil
		}
		files++
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, group := range f.Comments {
			check(set, group.Pos(), group.Text())
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.BasicLit); ok && s.Kind == token.STRING {
				check(set, s.Pos(), s.Value)
			}
			return true
		})
		return nil
	})
	if err != nil || files < 200 {
		t.Errorf("%d files read: %v", files, err)
	}
}
