package gotorch

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// surface is what a package declares: "func Add" to "(Tensor, Tensor,
// float32) (Tensor)", "field Tensor.T" to "*unsafe.Pointer", and so on.
type surface map[string]string

var anyWord = regexp.MustCompile(`\bany\b`)

func text(n any) string {
	var b bytes.Buffer
	if err := printer.Fprint(&b, token.NewFileSet(), n); err != nil {
		panic(err)
	}
	return anyWord.ReplaceAllString(strings.Join(strings.Fields(b.String()), " "), "interface{}")
}

// types lists the types of parameters or results, without their names.
func types(fields *ast.FieldList) string {
	var all []string
	if fields != nil {
		for _, f := range fields.List {
			for range max(1, len(f.Names)) {
				all = append(all, text(f.Type))
			}
		}
	}
	return "(" + strings.Join(all, ", ") + ")"
}

func signature(f *ast.FuncType) string { return types(f.Params) + " " + types(f.Results) }

func (s surface) add(f *ast.File) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := "func " + d.Name.Name
			if d.Recv != nil {
				name = "func (" + text(d.Recv.List[0].Type) + ") " + d.Name.Name
			}
			s[name] = signature(d.Type)
		case *ast.GenDecl:
			s.addSpecs(d)
		}
	}
}

func (s surface) addSpecs(d *ast.GenDecl) {
	for i, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			s.addType(spec)
		case *ast.ValueSpec:
			if d.Tok == token.CONST {
				s["const "+spec.Names[0].Name] = strconv.Itoa(i)
				if len(spec.Values) == 1 && text(spec.Values[0]) != "iota" {
					s["const "+spec.Names[0].Name] = text(spec.Values[0])
				}
			}
		}
	}
}

func (s surface) addType(spec *ast.TypeSpec) {
	name := spec.Name.Name
	switch t := spec.Type.(type) {
	case *ast.StructType:
		s["type "+name] = "struct"
		for _, f := range t.Fields.List {
			if len(f.Names) == 0 {
				s["field "+name+"."+text(f.Type)] = "embedded"
			}
			for _, n := range f.Names {
				s["field "+name+"."+n.Name] = text(f.Type)
			}
		}
	case *ast.InterfaceType:
		s["type "+name] = "interface"
		for _, m := range t.Methods.List {
			if f, ok := m.Type.(*ast.FuncType); ok { // not a union of types
				s["method "+name+"."+m.Names[0].Name] = signature(f)
			}
		}
	case *ast.FuncType:
		s["type "+name] = signature(t)
	}
}

func surfaceOf(t *testing.T, dir string) surface {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %v", dir, err)
	}
	s := surface{}
	for _, p := range paths {
		if strings.HasSuffix(p, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		s.add(f)
	}
	return s
}

func wanted(t *testing.T) map[string]surface {
	t.Helper()
	b, err := os.ReadFile("testdata/surface.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]surface{}
	for _, part := range strings.Split("\n"+string(b), "\n== ")[1:] {
		name, body, _ := strings.Cut(part, "\n")
		f, err := parser.ParseFile(token.NewFileSet(), name, "package p\n"+body, 0)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = surface{}
		all[name].add(f)
	}
	return all
}

// TestSurface compares the packages with upstream's: names, parameter types,
// results, fields, numbers.
func TestSurface(t *testing.T) {
	n := 0
	for name, want := range wanted(t) {
		dir := name
		if name == "gotorch" {
			dir = "."
		}
		have := surfaceOf(t, dir)
		for key, w := range want {
			n++
			switch h, ok := have[key]; {
			case !ok:
				t.Errorf("%s lacks %s", name, key)
			case h != w:
				t.Errorf("%s: %s is %s, upstream's %s", name, key, h, w)
			}
		}
		for _, whole := range []string{"Tensor", "Device", "Optimizer", "CUDAStream"} {
			fields := 0
			for key := range have {
				if strings.HasPrefix(key, "field "+whole+".") {
					fields++
				}
			}
			if name == "gotorch" && fields != 1 {
				t.Errorf("%s has %d fields", whole, fields)
			}
		}
	}
	if n < 229 {
		t.Errorf("only %d declarations were compared", n)
	}
	t.Logf("%d declarations", n)
}
