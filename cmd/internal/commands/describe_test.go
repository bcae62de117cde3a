package commands

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"flowmatch/cmd/internal/cli"
)

var update = flag.Bool("update", false, "write what is made of the programs into README.md")

// all are the programs, with the defaults that no variable of the environment changes.
func all(t *testing.T) []*cli.Command {
	t.Setenv("FLOWMATCH_DEVICE", "")
	t.Setenv("FLOWMATCH_DATA_DIR", "")
	return All()
}

// output is what a program prints.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	for _, c := range all(t) { // a new one each time: it reads one command line
		if c.Name == name {
			var out, errOut strings.Builder
			if status := c.Status(t.Context(), cli.Env{Args: args, Stdout: &out, Stderr: &errOut}); status != 0 {
				t.Fatalf("%s %q: status %d, %s", name, args, status, errOut.String())
			}
			return out.String()
		}
	}
	t.Fatalf("there is no %s", name)
	return ""
}

// names are the flags that lines of a text begin with.
func names(text, pattern string) []string {
	var found []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, strings.ReplaceAll(m[1], `\-`, "-"))
	}
	slices.Sort(found)
	return found
}

// Help, completion, manual and README's table tell of the same flags.
func TestFlagsAreToldEverywhere(t *testing.T) {
	_, readme, _ := part(t, tableBegins, tableEnds)
	for _, c := range all(t) {
		var want []string
		for _, g := range c.Groups() {
			for _, d := range g.Descriptions() {
				want = append(want, d.Name)
				if d.About == "" {
					t.Errorf("%s --%s: nothing is said of it", c.Name, d.Name)
				}
			}
		}
		slices.Sort(want)
		var inReadme []string
		for _, line := range strings.Split(readme, "\n") {
			if cells := strings.Split(line, " | "); len(cells) == 3 && slices.Contains(strings.Split(cells[1], ", "), c.Name) {
				inReadme = append(inReadme, names(cells[0], "--([a-z-]+)")...)
			}
		}
		slices.Sort(inReadme)
		for where, got := range map[string][]string{
			"--help":     names(output(t, c.Name, "--help"), `(?m)^  (?:-h, )?--([a-z-]+)`),
			"completion": names(output(t, c.Name, "__complete", "--"), `(?m)^--([a-z-]+)\t.`),
			"man":        names(output(t, c.Name, "man"), `(?m)^\.B (?:\\-h, )?\\-\\-([a-z\\-]+)`),
			"README":     inReadme,
		} {
			if !slices.Equal(got, want) {
				t.Errorf("%s, %s: %q, want %q", c.Name, where, got, want)
			}
		}
		for _, shell := range []string{"bash", "zsh", "fish"} {
			if s := output(t, c.Name, "completion", shell); !strings.Contains(s, "__complete") {
				t.Errorf("completion %s of %s asks for nothing", shell, c.Name)
			}
		}
	}
}

// Help fits any terminal; a word that is wider, or a flag with its value, has a line of its
// own.
func TestHelpFits(t *testing.T) {
	for _, c := range all(t) {
		output(t, c.Name, "--help")
		for _, width := range []int{20, 40, 64, 80, 110} {
			for _, line := range strings.Split(c.Help(width), "\n") {
				if utf8.RuneCountInString(line) > width && strings.ContainsRune(strings.TrimLeft(line, " "), ' ') && !strings.HasPrefix(strings.TrimLeft(line, " "), "-") && !strings.HasSuffix(line, ` \`) || strings.HasSuffix(line, " ") {
					t.Errorf("%s --help, %d columns: %q", c.Name, width, line)
				}
			}
		}
	}
}

// Values are completed, also behind --flag= and commas; own files behind folder:.
func TestCompletion(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"flowers", "flags"} {
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("flat.csv", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		program string
		args    []string
		want    []string // words, then the directive
	}{
		{"train", []string{"--dataset", "moo"}, []string{"moons", ":4"}},
		{"train", []string{"--dataset=dig"}, []string{"digits", ":4"}},
		{"train", []string{"--dataset", "folder:fl"}, []string{"folder:flags/", "folder:flowers/", ":6"}},
		{"train", []string{"--dataset", "points:fla"}, []string{"points:flags/", "points:flat.csv", ":6"}},
		{"train", []string{"--schedule", ""}, []string{"constant", "cosine", ":4"}},
		{"train", []string{"--iterations", ""}, []string{":4"}},
		{"train", []string{""}, []string{":4"}}, // no files: it takes no arguments
		{"sample", []string{"--dataset", "digits", "--method", "rk"}, []string{"rk4", "rk4-classic", ":4"}},
		{"sample", []string{"--checkpoint", ""}, []string{"pth", "pt", "ckpt", "safetensors", ":8"}},
		{"sample", []string{"--output_dir", ""}, []string{":16"}},
		{"evaluate", []string{"--measures", "sw2,nll_"}, []string{"sw2,nll_exact", ":6"}},
		{"evaluate", []string{"--solvers", "euler:1,dop"}, []string{"euler:1,dopri5", "euler:1,dopri8", ":6"}},
		{"convert", []string{""}, []string{"pth", "pt", "ckpt", "safetensors", ":8"}},
	} {
		var got []string
		for _, line := range strings.Split(strings.TrimSpace(output(t, c.program, append([]string{"__complete"}, c.args...)...)), "\n") {
			word, _, _ := strings.Cut(line, "\t")
			got = append(got, word)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s %q: %q, want %q", c.program, c.args, got, c.want)
		}
	}
}

// What cobra would add by itself is wrong use like any other word.
func TestNoSubcommands(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"help"}, `"help" is no flag`},
		{[]string{"completion"}, `"completion" is no flag`},
		{[]string{"completion", "tcsh"}, "bash, zsh or fish"},
		{[]string{"man", "train"}, `"man" is no flag`},
		{[]string{"digits"}, `"digits" is no flag`},
		{[]string{"digits"}, "did you mean --dataset digits?"},
		{[]string{"mine.csv"}, "did you mean --dataset points:mine.csv?"},
		{[]string{"zebra"}, "all of train's arguments are flags"},
		{[]string{"--lr", "1"}, "did you mean --learning-rate?"},
		{[]string{"--steps", "1"}, "did you mean --iterations?"},
		{[]string{"--batch", "1"}, "did you mean --batch-size?"},
		{[]string{"--channels", "32"}, "did you mean --num-channels?"},
		{[]string{"--epoch", "1"}, "did you mean --epochs?"},
		{[]string{"--gpu"}, "did you mean --device?"},
		{[]string{"-o", "x"}, "did you mean --output-dir?"},
		{[]string{"--out_dir", "x"}, "did you mean --output-dir?"},
		{[]string{"-dataset", "digits"}, "did you mean --dataset?"},
		{[]string{"--learnin_rate", "1"}, "did you mean --learning-rate?"},
		{[]string{"--dataset"}, "--dataset needs a value"},
		{[]string{"--threads", "many"}, `--threads "many": a whole number`},
		{[]string{"--threads", "99999999999999999999"}, "too large"},
		{[]string{"--weight-decay", "x"}, `--weight-decay "x": a number`},
		{[]string{"--resume=perhaps"}, "true or false"},
	} {
		command := all(t)[0]
		var out, errOut strings.Builder
		status := command.Status(t.Context(), cli.Env{Args: c.args, Stdout: &out, Stderr: &errOut})
		if line := errOut.String(); status != cli.WrongUse || out.Len() > 0 || strings.Count(line, "\n") != 1 || !strings.Contains(line, c.want) || strings.Contains(line, "strconv") {
			t.Errorf("%q: status %d, %q, %q", c.args, status, line, out.String())
		}
	}
}

const (
	tableBegins = "<!-- The flags begin: go test ./cmd/internal/commands -run README -update -->\n"
	tableEnds   = "<!-- The flags end. -->\n"
)

var readmePath = filepath.Join("..", "..", "..", "README.md")

// part is what stands between two marks of the README, and what is around it.
func part(t *testing.T, begins, ends string) (before, has, after string) {
	t.Helper()
	b, err := os.ReadFile(readmePath)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begun := strings.Cut(string(b), begins)
	has, after, ended := strings.Cut(rest, ends)
	if !begun || !ended {
		t.Fatalf("README.md lacks %q and %q", begins, ends)
	}
	return before + begins, has, ends + after
}

// madeOf checks that a part of the README is what is made of the programs now, or with
// -update puts it there.
func madeOf(t *testing.T, begins, ends, now string) {
	t.Helper()
	before, has, after := part(t, begins, ends)
	if has == now {
		return
	}
	if !*update {
		t.Fatalf("README.md has\n%s\nand it should be\n%s\ngo test ./cmd/internal/commands -run README -update writes it", has, now)
	}
	if err := os.WriteFile(readmePath, []byte(before+now+after), 0o666); err != nil {
		t.Fatal(err)
	}
}

// The README's table of flags is made of their descriptions.
func TestREADME(t *testing.T) {
	var b strings.Builder
	writeTable(&b, all(t))
	madeOf(t, tableBegins, tableEnds, b.String())
}

// writeTable writes each flag once for the programs in which it means the same.
func writeTable(w io.Writer, programs []*cli.Command) {
	type row struct{ head, about string }
	var rows []row
	of := map[row][]string{}
	for _, c := range programs {
		for _, g := range c.Groups() {
			for _, d := range g.Descriptions() {
				r := row{d.Head, d.About}
				if of[r] == nil {
					rows = append(rows, r)
				}
				of[r] = append(of[r], c.Name)
			}
		}
	}
	fmt.Fprint(w, "\n| flag | of | |\n| --- | --- | --- |\n")
	for _, r := range rows {
		fmt.Fprintf(w, "| `%s` | %s | %s |\n", r.head, strings.Join(of[r], ", "), strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "_", `\_`).Replace(r.about))
	}
	fmt.Fprintln(w)
}
