package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/cmd/internal/licences"
	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
	"flowmatch/trainer"
)

// Version is set by the build from the repository.
var Version = ""

// Command is one of the programs: what it is for, its flags, and what it does. Help,
// completion, manual and the README's table are all made of it.
type Command struct {
	Name, About string
	Forms       []Form
	// Arguments are what stands beside the flags, as in "IN OUT"; "" for nothing. Then
	// arguments are refused.
	Arguments string
	// ArgumentFiles are the endings of files that arguments may be, for completion.
	ArgumentFiles []string
	// LessMemory is what it needs less memory with; "" for a smaller --batch-size.
	LessMemory string
	// Saves tells that it saves what it has done when a signal comes, however long that
	// takes.
	Saves bool
	// Run is called once the flags are read.
	Run func(context.Context, Env) error

	// Flags that many commands have; see AddCommon and AddDataDir.
	Device, Precision, OutputDir, DataDir string
	Threads                               int
	Seed                                  int64
	Quiet, Deterministic, JSON            bool
	NoGraph                               bool

	groups  []*Group
	root    *cobra.Command // with the flags of all groups; nil before Execute
	version bool
	licence bool
	notes   io.Writer // of OpenDevice and Note
}

// Form is a line of help that shows how a command is used.
type Form struct{ Line, What string }

// Env is what a command works with.
type Env struct {
	Args           []string
	Stdout, Stderr io.Writer
}

// Say tells the user something in a line of its own, unless --quiet.
func (c *Command) Say(format string, args ...any) {
	if !c.Quiet && c.notes != nil {
		terminal.Say(c.notes, fmt.Sprintf(format, args...))
	}
}

// SayTo is where Say and Note write; Execute sets it to the standard error.
func (c *Command) SayTo(w io.Writer) { c.notes = w }

// Next says which command comes next; the first word is the program, as bin/sample, see Typed.
func (c *Command) Next(words ...string) {
	if c.Quiet || c.notes == nil {
		return
	}
	var quoted []string
	for _, part := range parts(Typed(words)) {
		quoted = append(quoted, Shell(part))
	}
	terminal.SayCommand(c.notes, "next: ", quoted)
}

// Note says what the user should know, unless --quiet.
func (c *Command) Note(format string, args ...any) { c.Say("note: "+format, args...) }

// Changed tells whether a flag was given.
func (c *Command) Changed(flag string) bool { return c.root != nil && c.root.Flags().Changed(flag) }

// Refuse refuses those of the flags that were given, for why says something of the set that
// makes them meaningless: "is a set of points".
func (c *Command) Refuse(in datasets.Info, why string, flags ...string) error {
	for _, f := range flags {
		if c.Changed(f) {
			return Usagef("--%s: %s %s", f, in.Name, why)
		}
	}
	return nil
}

// Flags are all of the command's flags, once the command line is read.
func (c *Command) Flags() *pflag.FlagSet { return c.root.Flags() }

// Args are the arguments that are no flags.
func (c *Command) Args() []string { return c.root.Flags().Args() }

// Execute reads the command line and does what it asks for.
func (c *Command) Execute(ctx context.Context, env Env) error {
	c.SayTo(env.Stderr)
	c.assemble()
	if done, err := c.describe(env); done || err != nil {
		return err
	}
	c.root.SetArgs(append([]string{}, env.Args...)) // nil would mean os.Args
	c.root.SetOut(env.Stdout)
	c.root.SetErr(env.Stderr)
	c.root.SetHelpFunc(func(*cobra.Command, []string) {
		// A failed write is remembered by who made the writer.
		_, _ = io.WriteString(env.Stdout, c.Help(terminal.Width(env.Stdout)))
	})
	c.root.RunE = func(*cobra.Command, []string) error {
		c.root.Flags().VisitAll(inHome)
		if err := noneEmpty(c.root.Flags()); err != nil {
			return err
		}
		switch {
		case c.licence:
			_, err := io.WriteString(env.Stdout, licences.Text())
			return err
		case c.version:
			return c.printVersion(env.Stdout)
		case c.Arguments == "" && len(c.Args()) > 0:
			return Usagef("%q is no flag; %s", c.Args()[0], c.instead(c.Args()[0]))
		case c.Run == nil:
			return nil
		}
		return c.Run(ctx, env)
	}
	return c.root.ExecuteContext(ctx)
}

// assemble makes cobra's command of the groups. It is given no texts: what it would
// say on errors is said by Report, in one line, and its help by Help.
func (c *Command) assemble() {
	if c.root != nil {
		return
	}
	c.root = &cobra.Command{
		Use: c.Name, Short: c.About, SilenceErrors: true, SilenceUsage: true,
		Args: cobra.ArbitraryArgs, // a file's name is no subcommand; RunE refuses what is wrong
	}
	c.root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return Usagef("%s", c.explain(err)) })
	c.root.CompletionOptions.DisableDefaultCmd = true // see describe
	c.root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	if c.ArgumentFiles != nil {
		c.root.ValidArgsFunction = files(c.ArgumentFiles)
	}
	set := c.root.Flags()
	set.SetNormalizeFunc(func(_ *pflag.FlagSet, s string) pflag.NormalizedName {
		return pflag.NormalizedName(strings.ReplaceAll(s, "_", "-"))
	})
	for _, g := range c.groups {
		g.VisitAll(func(f *pflag.Flag) {
			set.AddFlag(f) // it panics where two groups have a flag of one name
			if complete := g.complete[f.Name]; complete != nil {
				// It fails only where a flag has one already.
				_ = c.root.RegisterFlagCompletionFunc(f.Name, complete)
			}
		})
	}
}

// describe prints what other programs read of the command: completion for a shell, or
// the manual. They are no subcommands, which would be mixed up with arguments.
func (c *Command) describe(env Env) (done bool, err error) {
	switch args := env.Args; {
	case len(args) == 1 && args[0] == "man":
		_, err := io.WriteString(env.Stdout, c.Manual())
		return true, err
	case len(args) == 2 && args[0] == "completion":
		if known, err := c.printCompletion(env.Stdout, args[1]); known || err != nil {
			return true, err
		}
		if c.Arguments == "" {
			return true, Usagef("completion %q: bash, zsh or fish", args[1])
		}
	}
	return false, nil
}

func (c *Command) printVersion(w io.Writer) error {
	_, err := fmt.Fprintf(w, "flowmatch %s %s, for libtorch %s, %s\n", c.Name, versionText(), torch.Version, runtime.Version())
	return err
}

// versionText is the program's version and, in brackets, the commit that it was built of.
func versionText() string {
	if Version == "" {
		return trainer.Version
	}
	return trainer.Version + " (" + Version + ")"
}

// inHome turns the ~ that begins a path into the user's own folder. A shell does so
// only at the start of a word: not in --output-dir=~/x.
func inHome(f *pflag.Flag) {
	rest, ok := strings.CutPrefix(f.Value.String(), "~")
	if !ok || f.Value.Type() != "string" || rest != "" && rest[0] != '/' {
		return
	}
	if home, err := os.UserHomeDir(); err == nil {
		_ = f.Value.Set(filepath.Join(home, rest)) // a string takes any
	}
}

// explain says in our words what is wrong with a flag, with the nearest one's name
// where there is none of that name.
func (c *Command) explain(err error) string {
	var unknown *pflag.NotExistError
	var value *pflag.InvalidValueError
	var missing *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown):
		word := unknown.GetSpecifiedName()
		msg := "unknown flag: --" + word
		if short := unknown.GetSpecifiedShortnames(); short != "" {
			word, msg = short, "unknown flag: -"+short
		}
		if where := elsewhere[word]; where != "" {
			return msg + ": " + where
		}
		if near := c.nearest(word); near != "" {
			return msg + "; did you mean --" + near + "?"
		}
		return msg
	case errors.As(err, &missing):
		return "--" + missing.GetFlag().Name + " needs a value"
	case errors.As(err, &value):
		return "--" + Meant(err)
	}
	return err.Error()
}

// Meant says of a value that a flag does not take what is meant there: `seed "x": a whole
// number`. The error is FlagSet.Set's.
func Meant(err error) string {
	var value *pflag.InvalidValueError
	if !errors.As(err, &value) {
		return err.Error()
	}
	want := map[string]string{"int": "a whole number", "int64": "a whole number", "float64": "a number", "bool": "true or false"}[value.GetFlag().Value.Type()]
	if errors.Is(value, strconv.ErrRange) {
		want = "too large a number"
	}
	return fmt.Sprintf("%s %.60q: %s", value.GetFlag().Name, value.GetValue(), want)
}

// RunDir is the folder of a set's run: <root>/cfm/<set>.
func (c *Command) RunDir(kind, slug string) string { return filepath.Join(c.OutputDir, kind, slug) }

// noneEmpty refuses texts that are given and empty, as a shell's variable is that nobody has
// set: they would mean what the flag's absence means.
func noneEmpty(set *pflag.FlagSet) (err error) {
	set.Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "string" && f.Value.String() == "" && err == nil {
			err = Usagef("--%s is empty: give a value, or leave it out", f.Name)
		}
	})
	return err
}
