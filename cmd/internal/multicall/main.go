// Command multicall is every program in one, which scripts/build puts into bin under the
// name of each: they share nearly all of their code, and eight copies of it would be ten
// times as large and as slow to link. `go build ./cmd/train` makes one by itself.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/commands"
)

func main() {
	exe, err := os.Executable()
	if err != nil {
		exe = "" // its name was a second guess
	}
	c, args := called(commands.All(), os.Args, exe)
	if c == nil {
		fmt.Fprintln(os.Stderr, unknown(commands.All(), os.Args))
		os.Exit(cli.WrongUse)
	}
	os.Args = args
	cli.Main(c)
}

// called is the program that is meant, and its arguments: by the name that it was called
// by, else by that of the file, to which a link of another name may lead, else by the first
// argument, as in `flowmatch train --help`. nil if it is none of them.
func called(all []*cli.Command, args []string, exe string) (*cli.Command, []string) {
	find := func(name string) *cli.Command {
		if at := slices.IndexFunc(all, func(c *cli.Command) bool { return c.Name == filepath.Base(name) }); at >= 0 {
			return all[at]
		}
		return nil
	}
	if len(args) == 0 { // nobody has to give a program its name
		return find(exe), []string{exe}
	}
	for _, name := range []string{args[0], exe} {
		if c := find(name); c != nil {
			return c, args
		}
	}
	if len(args) > 1 && filepath.Base(args[1]) == args[1] {
		return find(args[1]), args[1:]
	}
	return nil, args
}

func unknown(all []*cli.Command, args []string) string {
	var names []string
	for _, c := range all {
		names = append(names, c.Name)
	}
	name := "flowmatch"
	if len(args) > 0 {
		name = filepath.Base(args[0])
	}
	return fmt.Sprintf("%s: this file is %s, by its name or its first argument: call it by one of these", name, strings.Join(names, ", "))
}
