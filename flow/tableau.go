package flow

import (
	"slices"
	"strings"

	torch "github.com/wangkuiyi/gotorch"
)

// Tableau is an explicit Runge-Kutta method (Butcher 1964):
// k_i = f(t + c_i h, x + h sum_j a_ij k_j), x' = x + h sum_i b_i k_i.
type Tableau struct {
	Name  string
	Order int // of the global error: it falls as h^Order
	C     []float64
	A     [][]float64 // A[i] has the i weights of stage i
	B     []float64
}

// Stages is the number of evaluations of a step.
func (m Tableau) Stages() int { return len(m.C) }

// fixed are the methods that take a number of steps.
var fixed = []Tableau{
	{"euler", 1, []float64{0}, [][]float64{{}}, []float64{1}},
	{"midpoint", 2, []float64{0, 1. / 2}, [][]float64{{}, {1. / 2}}, []float64{0, 1}},
	{"heun2", 2, []float64{0, 1}, [][]float64{{}, {1}}, []float64{1. / 2, 1. / 2}},
	{"heun3", 3, []float64{0, 1. / 3, 2. / 3}, [][]float64{{}, {1. / 3}, {0, 2. / 3}}, []float64{1. / 4, 0, 3. / 4}},
	// Kutta's 3/8 rule, torchdiffeq's "rk4".
	{"rk4", 4, []float64{0, 1. / 3, 2. / 3, 1},
		[][]float64{{}, {1. / 3}, {-1. / 3, 1}, {1, -1, 1}},
		[]float64{1. / 8, 3. / 8, 3. / 8, 1. / 8}},
	{"rk4-classic", 4, []float64{0, 1. / 2, 1. / 2, 1},
		[][]float64{{}, {1. / 2}, {0, 1. / 2}, {0, 0, 1}},
		[]float64{1. / 6, 1. / 3, 1. / 3, 1. / 6}},
}

// FixedStepMethod finds a method by its name.
func FixedStepMethod(name string) (Tableau, bool) {
	i := slices.IndexFunc(fixed, func(m Tableau) bool { return m.Name == name })
	if i < 0 {
		return Tableau{}, false
	}
	return fixed[i], true
}

// Methods lists the names of all methods, the adaptive ones last.
func Methods() []string {
	var names []string
	for _, m := range fixed {
		names = append(names, m.Name)
	}
	for _, m := range adaptive {
		names = append(names, m.Name)
	}
	return names
}

// MethodList is Methods for a message.
func MethodList() string { return strings.Join(Methods(), ", ") }

// combine is x + h sum_i w_i k_i.
func combine(x torch.Tensor, ks []torch.Tensor, w []float64, h float64) torch.Tensor {
	for i, k := range ks {
		if i < len(w) && w[i] != 0 {
			x = torch.AddScaled(x, k, h*w[i])
		}
	}
	return x
}
