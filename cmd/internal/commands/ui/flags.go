package ui

import "flowmatch/cmd/internal/cli"

type flags struct {
	cmd  *cli.Command
	host string
	port int
	open bool
}

// Command is ui.
func Command() *cli.Command {
	f := newFlags()
	f.cmd.Run = f.run
	return f.cmd
}

func newFlags() *flags {
	c := &cli.Command{Name: "ui", About: "look at flows, draw sets and follow runs, on a page in the browser", Forms: []cli.Form{
		{Line: "ui", What: "a page on http://127.0.0.1:8765/"},
		{Line: "ui --open --output-dir DIR"},
		{Line: "ui --host 0.0.0.0", What: "for other machines, too: by an address with a token"},
	}}
	f := &flags{cmd: c}
	g := c.Group("Page")
	g.StringVar(&f.host, "host", "127.0.0.1", "the address to listen at; other than this machine's own, the page asks for a token")
	g.Choices("host", "127.0.0.1", "0.0.0.0")
	g.IntVar(&f.port, "port", 8765, "the port to listen at; 0 is any that is free")
	g.BoolVar(&f.open, "open", false, "open the page in the browser")
	c.AddDevice(c.Group("Machine"))
	last := c.Group("General")
	c.AddOutputDir(last)
	c.AddLast(last, "print the address alone", "print lines of JSON: the page's address, each training on it, then a summary")
	return f
}

// check finds what is wrong without files and libtorch.
func (f *flags) check() error {
	if f.host == "" {
		return cli.Usagef("--host is empty: 127.0.0.1 for this machine, 0.0.0.0 for others, too")
	}
	if f.port < 0 || f.port > 65535 {
		return cli.Usagef("--port %d: 0 to 65535", f.port)
	}
	return f.cmd.CheckMachine()
}
