package ui

import "flowmatch/cmd/internal/cli"

type flags struct {
	*cli.Common
	host string
	port int
	open bool
}

func init() {
	cli.Forms["ui"] = `ui                                            a page on http://127.0.0.1:8765/
ui --open --output-dir DIR
ui --host 0.0.0.0                             for other machines, too: by an address with a token`
}

func newFlags() *flags {
	f := &flags{Common: cli.New("ui", "look at flows, draw sets and follow runs, on a page in the browser")}
	f.StringVar(&f.host, "host", "127.0.0.1", "the address to listen at; other than this machine's own, the page asks for a token")
	f.IntVar(&f.port, "port", 8765, "the port to listen at; 0 is any that is free")
	f.BoolVar(&f.open, "open", false, "open the page in the browser")
	f.AddMachine()
	f.BoolVar(&f.Quiet, "quiet", false, "print the address alone")
	f.AddVersion()
	return f
}

// check finds what is wrong without files and libtorch.
func (f *flags) check() error {
	if err := f.NoArgs(); err != nil {
		return err
	}
	if f.host == "" {
		return cli.Usagef("--host is empty: 127.0.0.1 for this machine, 0.0.0.0 for others, too")
	}
	if f.port < 0 || f.port > 65535 {
		return cli.Usagef("--port %d: 0 to 65535", f.port)
	}
	return f.CheckMachine()
}
