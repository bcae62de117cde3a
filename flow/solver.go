package flow

import (
	"fmt"
	"slices"

	torch "github.com/wangkuiyi/gotorch"
)

// Solver integrates dx/dt = f(x, t): a FixedStep or an Adaptive.
type Solver interface {
	// Solve goes from x: [B,...] at the start of the solver's span to its end
	// and returns the state there and the number of evaluations of f. For every
	// time in at, which are in the order of integration, it calls out.
	Solve(f Field, x torch.Tensor, at []float64, out func(Output) error) (end torch.Tensor, nfe int, err error)
	// Between is the same solver with the span from t0 to t1, backwards too.
	Between(t0, t1 float64) Solver
	// String is how people name it: "midpoint, 20 steps".
	String() string
}

// SolverConfig names a solver.
type SolverConfig struct {
	Method     string
	Steps      int     // of a fixed-step method
	RTol, ATol float64 // of an adaptive one; both 0: 1e-5
	MaxSteps   int     // of an adaptive one, the rejected included; 0: 10,000
}

// NewSolver makes the solver from 0 to 1.
func NewSolver(c SolverConfig) (Solver, error) {
	if m, ok := FixedStepMethod(c.Method); ok {
		if c.Steps < 1 {
			return nil, fmt.Errorf("%s: %d steps: at least 1", c.Method, c.Steps)
		}
		return FixedStep{Method: m, Steps: c.Steps}, nil
	}
	if m, ok := AdaptiveMethod(c.Method); ok {
		return Adaptive{Method: m, RTol: c.RTol, ATol: c.ATol, MaxSteps: c.MaxSteps}, nil
	}
	return nil, fmt.Errorf("method %q is unknown: %s", c.Method, MethodList())
}

// DefaultSolver is the one that samples are drawn with unless another is named:
// midpoint, 20 steps.
func DefaultSolver() Solver {
	m, _ := FixedStepMethod("midpoint")
	return FixedStep{Method: m, Steps: 20}
}

// IsAdaptive tells whether a method chooses its steps itself.
func IsAdaptive(method string) bool {
	_, fixed := FixedStepMethod(method)
	return !fixed && slices.Contains(Methods(), method)
}
