package cli

import (
	"io"
	"path/filepath"

	"flowmatch/cmd/internal/terminal"
)

// Written is a file that a command wrote, or a folder of them, and what it is.
type Written struct {
	Path, What string
	Folder     bool
}

// PrintWritten tells at a command's end what it wrote: on a terminal by folders and with
// what each file is. Programs get the paths, one a line, and so do those who want it quiet.
func (c *Command) PrintWritten(w io.Writer, files []Written) error {
	p := terminal.NewPage(w)
	if c.Quiet || !terminal.Is(w) {
		for _, f := range files {
			p.Path(f.Path)
		}
		return p.Flush()
	}
	for len(files) > 0 {
		dir := filepath.Dir(files[0].Path)
		list := terminal.List{Indent: indent}
		var others []Written
		for _, f := range files {
			if filepath.Dir(f.Path) != dir {
				others = append(others, f)
				continue
			}
			name := filepath.Base(f.Path)
			if f.Folder {
				name += "/"
			}
			list.Rows = append(list.Rows, []string{terminal.Whole(name), f.What})
		}
		p.Path(dir + "/")
		p.List(list)
		files = others
	}
	return p.Flush()
}

// Paths are those of the files.
func Paths(files []Written) []string {
	paths := []string{}
	for _, f := range files {
		paths = append(paths, f.Path)
	}
	return paths
}
