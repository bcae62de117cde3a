package flow

import (
	"fmt"
	"slices"
	"strings"

	torch "github.com/wangkuiyi/gotorch"
)

// Coupling says which noise goes with which data.
type Coupling interface {
	// Noise is that of data x1: [B,...] of the classes y: [B] int64, or the zero
	// Tensor, drawn from gen: -> x0: [B,...] in the order of x1.
	Noise(gen *torch.Generator, x1, y torch.Tensor) torch.Tensor
	String() string // its name
}

// Pairing is what a coupling offers that takes noise as it comes and says which goes
// with which data. That can be done ahead of the steps, without the device.
type Pairing interface {
	// Pair gives the number of the noise that goes with each of n data points.
	// x0, x1: [n,...], y: [n] classes, or nil.
	Pair(x0, x1 []float32, n int, y []int64) (order []int32)
}

// Couplings are the names of the couplings, the default first.
func Couplings() []string {
	var names []string
	for _, c := range couplings {
		names = append(names, c.String())
	}
	return names
}

// couplings are those there are, the default first. A new one is a line here.
var couplings = []Coupling{Independent{}, MinibatchOT{}}

// NewCoupling makes a coupling by its name; "" is the default.
func NewCoupling(name string) (Coupling, error) {
	i := slices.IndexFunc(couplings, func(c Coupling) bool { return c.String() == name })
	if name == "" {
		i = 0
	}
	if i < 0 {
		return nil, fmt.Errorf("%q is no coupling: %s", name, strings.Join(Couplings(), ", "))
	}
	return couplings[i], nil
}

// Independent noise does not depend on the data (Lipman et al. 2023).
type Independent struct{}

// Noise: x1: [B,...] -> x0: [B,...] of N(0, I).
func (Independent) Noise(gen *torch.Generator, x1, _ torch.Tensor) torch.Tensor {
	return torch.RandNWith(gen, x1.Shape(), torch.Options{Device: x1.Device()})
}

func (Independent) String() string { return "independent" }
