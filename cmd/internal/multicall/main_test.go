package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flowmatch/cmd/internal/commands"
)

func TestCalled(t *testing.T) {
	all := commands.All()
	for _, test := range []struct {
		what string
		args []string
		exe  string
		want string // the program and its arguments; "" for none
	}{
		{"by name", []string{"sample", "--help"}, "/x/bin/sample", "sample --help"},
		{"by path", []string{"../bin/sample"}, "/x/bin/sample", "sample"},
		{"a symbolic link to one file of many names", []string{"bin/reflow", "-h"}, "/x/bin/train", "reflow -h"},
		{"a link of a user's own name", []string{"/home/me/bin/draw", "--seed", "1"}, "/x/bin/sample", "sample --seed 1"},
		{"a name that its caller made up", []string{"-", "train"}, "/x/bin/convert", "convert train"},
		{"under its own name", []string{"flowmatch", "train", "--help"}, "/x/flowmatch", "train --help"},
		{"no name at all", nil, "/x/bin/doctor", "doctor"},
		{"not even a file's", []string{"doctor"}, "", "doctor"},
		{"nothing", nil, "", ""},
		{"another name", []string{"draw"}, "/x/draw", ""},
		{"another name and word", []string{"draw", "--help"}, "/x/draw", ""},
		{"a path for an argument is no name", []string{"draw", "models/train"}, "/x/draw", ""},
	} {
		got := ""
		if c, args := called(all, test.args, test.exe); c != nil {
			got = strings.Join(append([]string{c.Name}, args[1:]...), " ")
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.what, got, test.want)
		}
	}
	if got, want := unknown(all, []string{"/x/draw"}), "draw: this file is train, sample, "; !strings.HasPrefix(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Each folder of cmd is a program, and each program is in the one file of all.
func TestAllPrograms(t *testing.T) {
	var want, have []string
	entries, err := os.ReadDir("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join("../..", e.Name(), "main.go")); err == nil {
			want = append(want, e.Name())
		}
	}
	for _, c := range commands.All() {
		have = append(have, c.Name)
	}
	slices.Sort(have)
	if !slices.Equal(have, want) {
		t.Errorf("the programs of cmd are %q, those of commands.All %q", want, have)
	}
}
