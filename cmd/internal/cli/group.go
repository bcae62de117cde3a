package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flowmatch/datasets"
)

// Group are flags that stand together under a title in help, manual and README. It
// says of each what its values are, for people and for completion.
type Group struct {
	Title string
	*pflag.FlagSet
	values   map[string]string // what stands for the value, where the type does not say it
	complete map[string]cobra.CompletionFunc
}

// Group starts a group of flags after those before, or goes on with the one of that
// title.
func (c *Command) Group(title string) *Group {
	for _, g := range c.groups {
		if g.Title == title {
			return g
		}
	}
	g := newGroup(title)
	c.groups = append(c.groups, g)
	return g
}

func newGroup(title string) *Group {
	g := &Group{
		Title: title, FlagSet: pflag.NewFlagSet(title, pflag.ContinueOnError),
		values: map[string]string{}, complete: map[string]cobra.CompletionFunc{},
	}
	g.SortFlags = false
	return g
}

// Groups are the groups that have flags, in order.
func (c *Command) Groups() []*Group {
	return slices.DeleteFunc(slices.Clone(c.groups), func(g *Group) bool { return !g.HasFlags() })
}

// Choices says which values a flag takes.
func (g *Group) Choices(flag string, values ...string) {
	g.Values(flag, "NAME", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values, cobra.ShellCompDirectiveNoFileComp
	})
}

// Lists says of which words, with commas between, a flag takes some.
func (g *Group) Lists(flag string, words ...string) {
	g.Values(flag, "LIST", func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		before := typed[:strings.LastIndex(typed, ",")+1]
		var all []string
		for _, w := range words {
			if !slices.Contains(strings.Split(before, ","), w) {
				all = append(all, before+w)
			}
		}
		return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
}

// Files says that a flag names a file with one of the endings, or any.
func (g *Group) Files(flag string, endings ...string) { g.Values(flag, "FILE", files(endings)) }

func files(endings []string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		if len(endings) == 0 {
			return nil, cobra.ShellCompDirectiveDefault
		}
		return endings, cobra.ShellCompDirectiveFilterFileExt
	}
}

// Folders says that a flag names a folder.
func (g *Group) Folders(flag string) {
	g.Values(flag, "DIR", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	})
}

// Datasets says that a flag names a set: one of ours, or a user's own files.
func (g *Group) Datasets(flag string) {
	g.Values(flag, "NAME", func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		if kind, path, own := strings.Cut(typed, ":"); own {
			return paths(kind+":", path, slices.Contains(datasets.Names(), kind+":DIR")), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		}
		var all []string
		directive := cobra.ShellCompDirectiveNoFileComp
		for _, name := range datasets.Names() {
			about := datasets.About(name)
			if kind, _, own := strings.Cut(name, ":"); own {
				name = kind + ":"
				if typed != "" && strings.HasPrefix(name, typed) {
					directive |= cobra.ShellCompDirectiveNoSpace
				}
			}
			all = append(all, name+"\t"+about)
		}
		return all, directive
	})
}

// paths are the files and folders, or folders alone, that a path may go on to. Shells
// complete no path that begins with a word and a colon.
func paths(prefix, typed string, folders bool) []string {
	dir, base := filepath.Split(typed)
	entries, _ := os.ReadDir(filepath.Join(".", dir)) // nothing to offer, then
	if filepath.IsAbs(typed) {
		entries, _ = os.ReadDir(dir)
	}
	var all []string
	for _, e := range entries {
		name := e.Name()
		hidden := strings.HasPrefix(name, ".") && !strings.HasPrefix(base, ".")
		info, err := os.Stat(filepath.Join(dir, name)) // of what a link points to
		switch {
		case err != nil || hidden || !strings.HasPrefix(name, base):
		case info.IsDir():
			all = append(all, prefix+dir+name+"/")
		case !folders:
			all = append(all, prefix+dir+name)
		}
	}
	return all
}

// Values says what stands for a flag's value in help, and how a shell completes it.
func (g *Group) Values(flag, placeholder string, complete cobra.CompletionFunc) {
	g.values[flag] = placeholder
	g.complete[flag] = begun(complete)
}

// Title of a flag in help: "--steps N".
func (g *Group) head(f *pflag.Flag) string {
	head := "--" + f.Name
	if f.Shorthand != "" {
		head = "-" + f.Shorthand + ", " + head
	}
	if v := g.value(f); v != "" {
		head += " " + v
	}
	return head
}

// value is what stands for a flag's value; "" for a switch.
func (g *Group) value(f *pflag.Flag) string {
	if v, ok := g.values[f.Name]; ok {
		return v
	}
	switch f.Value.Type() {
	case "bool":
		return ""
	case "int", "int64":
		return "N"
	case "float64":
		return "X"
	}
	return "TEXT"
}

// about is what a flag is for, and its default.
func about(f *pflag.Flag) string {
	switch f.DefValue {
	case "", "0", "false", "default":
		return f.Usage
	}
	return fmt.Sprintf("%s (default %s)", f.Usage, f.DefValue)
}

// Description is what there is to say of a flag.
type Description struct{ Name, Head, About string }

// Descriptions are those of a group's flags, in order.
func (g *Group) Descriptions() []Description {
	var all []Description
	g.VisitAll(func(f *pflag.Flag) { all = append(all, Description{f.Name, g.head(f), about(f)}) })
	return all
}
