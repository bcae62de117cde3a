package cli

import (
	"os"
	"path/filepath"
	"strings"
)

// Commands that are shown begin with bin/NAME, the program as scripts/build leaves it. Typed
// makes that what works where this program was started.

// startedAs is the first word of the command line, before anything takes it for its own.
var startedAs = os.Args[0]

// caller gives the words that call a program of ours as this one was called; nil: bin/NAME.
var caller func(name string) []string

// Typed are the words of a command as a user types them who has started this program.
func Typed(words []string) []string {
	if len(words) == 0 || caller == nil {
		return words
	}
	name, ours := strings.CutPrefix(words[0], "bin/")
	if !ours {
		return words
	}
	return append(caller(name), words[1:]...)
}

// callerOf tells how the other programs are called by how the one of that name was: started is
// the first word of its command line, first what package multicall has left as such, and exe
// its file. Programs that were found on the PATH are there together, those that were called by
// a path lie beside each other.
func callerOf(name, started, first, exe string) func(name string) []string {
	switch dir, base := filepath.Split(started); {
	case base == name:
		return func(other string) []string { return []string{dir + other} } // "./train" keeps its dot
	case first != started: // flowmatch train
		return func(other string) []string { return []string{started, other} }
	case exe != "": // a link of the user's own name
		return func(other string) []string { return []string{filepath.Join(filepath.Dir(exe), other)} }
	}
	return nil
}
