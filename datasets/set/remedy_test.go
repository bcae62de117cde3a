package set

import (
	"io/fs"
	"testing"
)

// What a caller can do is said in its own words, and paths stay as they are.
func TestRemedy(t *testing.T) {
	e := &FileError{
		Set: "mnist", File: "/home/Download/x", Fault: "not found", Err: fs.ErrNotExist,
		Remedy: Fetch + ", or point " + DataDir + " at a folder that holds /home/Download",
	}
	const before = "mnist: /home/Download/x: not found; "
	if got := e.Error(); got != before+"fetch it with Download, or point Options.DataDir at a folder that holds /home/Download" {
		t.Error(got)
	}
	if got := e.In(map[string]string{Fetch: "say please", DataDir: "the finger"}); got != before+"say please, or point the finger at a folder that holds /home/Download" {
		t.Error(got)
	}
	if got := (&FileError{Set: "a", File: "b", Fault: "c"}).Error(); got != "a: b: c" {
		t.Error(got)
	}
}
