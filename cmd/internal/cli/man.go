package cli

import (
	"fmt"
	"strings"
)

// exitStatuses are what a program's ending means, for help and the manual.
var exitStatuses = []struct{ status, what string }{
	{"0", "done"},
	{"1", "failed in the world: files, network, libraries"},
	{"2", "wrong use"},
	{"3", "the training diverged"},
	{"4", "out of memory"},
	{"5", "a check or comparison failed"},
	{"129, 130, 143", "stopped by a signal, with everything saved"},
}

// Manual is the command's page of the manual, in roff: what Help says, for man(1).
func (c *Command) Manual() string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 \"\" \"flowmatch %s\" \"flowmatch\"\n", strings.ToUpper(c.Name), roff(versionText()))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n.SH SYNOPSIS\n", c.Name, roff(c.About))
	for _, f := range c.Forms {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(f.Line), roff(f.What))
	}
	b.WriteString(".SH OPTIONS\nUnderscores may stand for hyphens.\n")
	for _, g := range c.Groups() {
		fmt.Fprintf(&b, ".SS %s\n", roff(g.Title))
		for _, d := range g.Descriptions() {
			fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(d.Head), roff(d.About))
		}
	}
	b.WriteString(".SH EXIT STATUS\n")
	for _, s := range exitStatuses {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", s.status, s.what)
	}
	return b.String()
}

// roff escapes what would be a request or another character in roff.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}
