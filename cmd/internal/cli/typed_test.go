package cli

import (
	"strings"
	"testing"
)

func TestTyped(t *testing.T) {
	defer func() { caller = nil }()
	for _, c := range []struct{ started, first, exe, want string }{
		{"bin/train", "bin/train", "/x/bin/train", "bin/sample --steps 2"},
		{"./train", "./train", "/x/bin/train", "./sample --steps 2"},
		{"../x/bin/train", "../x/bin/train", "/x/bin/train", "../x/bin/sample --steps 2"},
		{"/opt/flow match/bin/train", "/opt/flow match/bin/train", "/opt/flow match/bin/train", "'/opt/flow match/bin/sample' --steps 2"},
		{"train", "train", "/usr/local/bin/train", "sample --steps 2"},
		{"flowmatch", "train", "/usr/local/bin/flowmatch", "flowmatch sample --steps 2"},
		{"./flowmatch", "train", "/x/flowmatch", "./flowmatch sample --steps 2"},
		{"/home/me/learn", "/home/me/learn", "/x/bin/train", "/x/bin/sample --steps 2"},
		{"", "", "", "bin/sample --steps 2"},
	} {
		caller = callerOf("train", c.started, c.first, c.exe)
		if got := Shell(Typed([]string{"bin/sample", "--steps", "2"})); got != c.want {
			t.Errorf("started as %q: %s, want %s", c.started, got, c.want)
		}
		if got := Typed([]string{"tensorboard"}); strings.Join(got, " ") != "tensorboard" {
			t.Errorf("another's program: %q", got)
		}
	}
}
