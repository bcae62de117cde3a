package cli

import (
	"strings"

	"flowmatch/cmd/internal/terminal"
)

// Help is what --help prints, in lines of a width.
func (c *Command) Help(width int) string {
	p := terminal.PageOf(width)
	p.Paragraphf("%s: %s", c.Name, c.About)
	p.Blank()
	p.Paragraphf("Usage:")
	forms := terminal.List{Indent: indent}
	for _, f := range c.Forms {
		if f.What != "" {
			forms.Column = max(forms.Column, len(f.Line))
		}
	}
	for _, f := range c.Forms {
		forms.Rows = append(forms.Rows, []string{f.Line, f.What})
	}
	for _, form := range forms.Rows {
		if indent+len(form[0]) <= width {
			p.List(terminal.List{Indent: indent, Column: forms.Column, Rows: [][]string{form}})
			continue
		}
		var words []string
		for _, part := range parts(strings.Fields(form[0])) {
			words = append(words, strings.Join(part, " "))
		}
		p.Command(indent, words)
		if form[1] != "" {
			p.List(terminal.List{Indent: 3 * indent, Rows: [][]string{{form[1]}}})
		}
	}
	groups, longest := c.Groups(), 0
	for _, g := range groups {
		for _, d := range g.Descriptions() {
			longest = max(longest, len(d.Head))
		}
	}
	for _, g := range groups {
		p.Blank()
		p.Paragraphf("%s:", g.Title)
		flags := terminal.List{Indent: indent, Column: min(longest, mostHead)}
		for _, d := range g.Descriptions() {
			flags.Rows = append(flags.Rows, []string{terminal.Whole(d.Head), terminal.Listed(d.About)})
		}
		p.List(flags)
	}
	p.Blank()
	p.Paragraphf("Exit status: %s.", statuses())
	p.Blank()
	p.Paragraphf("Underscores may stand for hyphens. `%[1]s completion bash` (zsh, fish) prints what a shell completes these flags by, `%[1]s man` the manual.", c.Name)
	return p.String()
}

const (
	indent   = 2  // of what stands under a title
	mostHead = 26 // columns of a flag with its value; what is said of longer ones stands under them
)

// statuses are the exit statuses in one sentence.
func statuses() string {
	var all []string
	for _, s := range exitStatuses {
		all = append(all, s.status+" "+s.what)
	}
	return strings.Join(all, "; ")
}
