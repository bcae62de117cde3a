package cli

import (
	"strconv"
	"strings"

	"flowmatch/datasets"
	"flowmatch/flow"
)

// Solver are the flags that choose a solver.
type Solver struct {
	cmd        *Command
	method     string
	steps      int
	rtol, atol float64
}

// AddSolver adds --method, --steps and the tolerances. whose is what they
// solve: "the teacher's solver".
func (c *Command) AddSolver(g *Group, whose string) *Solver {
	s := &Solver{cmd: c}
	g.StringVar(&s.method, "method", "midpoint", whose+": "+flow.MethodList())
	g.Choices("method", flow.Methods()...)
	g.IntVar(&s.steps, "steps", 20, "equal steps of a fixed-step method")
	s.addTolerances(g)
	return s
}

// AddTolerances adds --rtol and --atol alone.
func (c *Command) AddTolerances(g *Group) *Solver {
	s := &Solver{cmd: c}
	s.addTolerances(g)
	return s
}

func (s *Solver) addTolerances(g *Group) {
	g.Float64Var(&s.rtol, "rtol", 1e-5, "relative tolerance of an adaptive method")
	g.Float64Var(&s.atol, "atol", 1e-5, "absolute tolerance of an adaptive method")
}

// Solver is what the flags choose, from 0 to 1. Flags that the method ignores
// are refused.
func (s *Solver) Solver() (flow.Solver, error) {
	if s.cmd.Changed("steps") && flow.IsAdaptive(s.method) {
		return nil, Usagef("--steps: %s chooses its steps by --rtol and --atol", s.method)
	}
	if _, fixed := flow.FixedStepMethod(s.method); fixed {
		for _, name := range []string{"rtol", "atol"} {
			if s.cmd.Changed(name) {
				return nil, Usagef("--%s: %s takes --steps equal steps, whatever the error", name, s.method)
			}
		}
	}
	if err := s.checkTolerances(); err != nil {
		return nil, err
	}
	return s.make("--method", s.method, s.steps)
}

func (s *Solver) checkTolerances() error {
	switch {
	case !(s.rtol >= 0 && s.rtol < 1):
		return Usagef("--rtol %v: in [0,1)", s.rtol)
	case !(s.atol >= 0 && s.atol < 1):
		return Usagef("--atol %v: in [0,1)", s.atol)
	case s.rtol == 0 && s.atol == 0:
		return Usagef("--rtol and --atol are both 0: no step is good enough for that")
	}
	return nil
}

func (s *Solver) make(flag, method string, steps int) (flow.Solver, error) {
	known := flow.Methods()
	found := false
	for _, m := range known {
		found = found || m == method
	}
	switch near := datasets.Closest(method, known); {
	case !found && near != "":
		return nil, Usagef("%s %q is unknown: did you mean %s?", flag, method, near)
	case !found:
		return nil, Usagef("%s %q is unknown: %s", flag, method, flow.MethodList())
	case !flow.IsAdaptive(method) && steps < 1:
		return nil, Usagef("--steps %d: at least 1", steps)
	}
	made, err := flow.NewSolver(flow.SolverConfig{Method: method, Steps: steps, RTol: s.rtol, ATol: s.atol})
	return made, AsUsage(err)
}

// DefaultTolerances are those of adaptive solvers that no flag is about.
func DefaultTolerances() *Solver { return new(Command).AddTolerances(newGroup("")) }

// AddSolverList adds --solvers, of which List reads the value.
func AddSolverList(g *Group, to *string, usual, what string) {
	g.StringVar(to, "solvers", usual, what+", METHOD:STEPS or an adaptive METHOD, with commas between")
	var words []string
	for _, m := range flow.Methods() {
		if !flow.IsAdaptive(m) {
			m += ":"
		}
		words = append(words, m)
	}
	g.Lists("solvers", words...)
}

// NamedSolver is an entry of --solvers.
type NamedSolver struct {
	Method string
	Steps  int // 0 for an adaptive one
	flow.Solver
}

// List reads "euler:1,midpoint:20,dopri5": the flag's name is for messages.
func (s *Solver) List(flag, list string) ([]NamedSolver, error) {
	if err := s.checkTolerances(); err != nil {
		return nil, err
	}
	var out []NamedSolver
	adaptive := false
	for _, w := range strings.Split(list, ",") {
		method, count, counted := strings.Cut(strings.TrimSpace(w), ":")
		steps := 0
		if flow.IsAdaptive(method) {
			adaptive = true
			if counted {
				return nil, Usagef("%s %s: %s chooses its steps by --rtol and --atol; leave the number out", flag, w, method)
			}
		} else if _, fixed := flow.FixedStepMethod(method); fixed {
			var err error
			if steps, err = strconv.Atoi(count); err != nil || steps < 1 {
				return nil, Usagef("%s %q: a method and its number of steps, as in midpoint:20", flag, w)
			}
		}
		made, err := s.make(flag, method, steps)
		if err != nil {
			return nil, err
		}
		out = append(out, NamedSolver{method, steps, made})
	}
	if !adaptive && (s.cmd.Changed("rtol") || s.cmd.Changed("atol")) {
		return nil, Usagef("--rtol and --atol are for adaptive methods, and %s names none", flag)
	}
	return out, nil
}
