package page

import (
	"path"
	"strings"

	"flowmatch/cmd/internal/cli"
	"flowmatch/cmd/internal/terminal"
)

// The page shows the command that does the same in a shell.

// shell is a command of such words, or "" where a name among them has letters that nobody
// sees: what such a command does cannot be read.
func shell(words []string) string {
	if !terminal.Copied(words) {
		return ""
	}
	return cli.Shell(cli.Typed(words))
}

// sampleCommand is the sample command for a model, a seed and a solver.
func (s *Server) sampleCommand(m Model, seed int64, c solver, more ...string) string {
	if m.Family == "pretrained-reflow" { // bin/compare alone draws it
		return shell(append([]string{"bin/compare", "--pretrained", m.Set, "--seed", itoa(seed)}, c.flags()...))
	}
	words := append([]string{"bin/sample"}, s.modelFlags(m)...)
	words = append(words, more...)
	words = append(words, "--seed", itoa(seed))
	if !m.OneStep {
		words = append(words, c.flags()...)
	}
	return m.after(shell(words))
}

// after puts a command after the one that trains the model, if that is not in a file.
func (m Model) after(command string) string {
	if m.made == "" || command == "" {
		return command
	}
	return m.made + " && " + command
}

// firstTraining is a run of some seconds, in the page's output folder.
func (s *Server) firstTraining() string {
	return shell(append([]string{"bin/train", "--preset", "moons-quick"}, s.outputFlags()...))
}

// outputFlags name the output folder, where it is not the commands' own.
func (s *Server) outputFlags() []string {
	if s.outputs.dir == "outputs" {
		return nil
	}
	return []string{"--output-dir", s.outputs.dir}
}

// evaluateCommand measures a model thoroughly.
func (s *Server) evaluateCommand(m Model) string {
	words := append([]string{"bin/evaluate"}, s.modelFlags(m)...)
	return m.after(shell(append(words, "--measures", "sw2", "--solvers", "euler:1,euler:2,euler:4,euler:8,midpoint:8")))
}

// modelFlags name a model on the command line.
func (s *Server) modelFlags(m Model) []string {
	switch {
	case m.Family == "pretrained":
		return []string{"--pretrained", m.Set}
	case m.made != "":
		return []string{"--dataset", drawingData}
	case m.Family == "cfm" && !strings.Contains(m.Set, "-"): // no file of the user's own
		return append([]string{"--dataset", m.Set}, s.outputFlags()...)
	}
	return []string{"--checkpoint", path.Join(s.outputs.dir, m.file)}
}
