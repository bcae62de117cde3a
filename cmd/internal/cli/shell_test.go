package cli

import "testing"

func TestShell(t *testing.T) {
	if got, want := Shell([]string{"bin/sample", "--checkpoint", "my runs/it's.pth", "--x", ""}), `bin/sample --checkpoint 'my runs/it'\''s.pth' --x ''`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
