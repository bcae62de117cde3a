package set

import "fmt"

// FileError says what is wrong with a set's file and what to do about it.
type FileError struct {
	Set    string // "mnist"
	File   string // the path, as far as the user needs it to find the file
	Fault  string // "31 bytes of 47040016: truncated"
	Remedy Remedy // "replace it with an intact copy"
	Err    error  // the cause, where there is one
}

func (e *FileError) Error() string { return e.In(inGo) }

// In is the error with its remedy in the given words.
func (e *FileError) In(words map[string]string) string {
	msg := fmt.Sprintf("%s: %s: %s", e.Set, e.File, e.Fault)
	if e.Remedy != "" {
		msg += "; " + e.Remedy.In(words)
	}
	return msg
}

func (e *FileError) Unwrap() error { return e.Err }
