package flow

import (
	"fmt"
	"strings"

	torch "github.com/wangkuiyi/gotorch"
)

// Path leads from noise x0 at t = 0 to a data point x1 at t = 1:
//
//	x_t = alpha_t x1 + sigma_t x0
//
// (an affine path; Lipman et al. 2024, section 4).
type Path interface {
	// At is the point x_t on the way and the velocity u = dx_t/dt there.
	// x0, x1: [B,...], t: [B] -> xt, u: [B,...].
	At(x0, x1, t torch.Tensor) (xt, u torch.Tensor)
	// Coefficients are those of x_t and u at times t: [B].
	Coefficients(t torch.Tensor) Coefficients
	// Span is the times at which a velocity is learnt: [0,1], or the part of it
	// where u is not nearly singular. See Within.
	Span() (from, to float64)
	String() string // its name
}

// PathConfig names a path.
type PathConfig struct {
	Name     string  // "ot", "vp" or "cosine"; "": ot
	SigmaMin float64 // of ot alone
}

// paths are the paths there are, the default first. A new one is a line here.
var paths = []struct {
	name string
	make func(PathConfig) Path
}{
	{"ot", func(c PathConfig) Path { return OTPath{SigmaMin: c.SigmaMin} }},
	{"vp", func(PathConfig) Path { return VPPath{} }},
	{"cosine", func(PathConfig) Path { return CosinePath{} }},
}

// Paths are the names of the paths, the default first.
func Paths() []string {
	var names []string
	for _, p := range paths {
		names = append(names, p.name)
	}
	return names
}

// NewPath makes a path.
func NewPath(c PathConfig) (Path, error) {
	if c.Name == "" {
		c.Name = paths[0].name
	}
	if c.SigmaMin != 0 && c.Name != "ot" {
		return nil, fmt.Errorf("sigma_min is of the path ot: %s leaves no noise on the data by itself", c.Name)
	}
	for _, p := range paths {
		if p.name == c.Name {
			return p.make(c), nil
		}
	}
	return nil, fmt.Errorf("%q is no path: %s", c.Name, strings.Join(Paths(), ", "))
}

// Within is a velocity that is not asked for times outside of a path's span, where
// it was not learnt: from the last one on it stays as it is there. So solutions
// and likelihoods go from 0 to 1 on every path.
func Within(p Path, v Velocity) Velocity {
	from, to := p.Span()
	if from <= 0 && to >= 1 {
		return v
	}
	return func(x, t, y torch.Tensor) torch.Tensor { return v(x, torch.Clamp(t, from, to), y) }
}

// StableTargets is what a path offers whose targets can be averaged over the
// data points of the batch that x_t may lead to, in place of the one that it was
// made from (Xu, Tong and Jaakkola 2023, "Stable Target Field", for the paths of
// Lipman et al. 2023):
//
//	u_i = sum_j w_ij u(x_t,i | x1_j),  w_ij = p_t(x_t,i | x1_j) / sum_k p_t(x_t,i | x1_k)
//
// Its mean is the same: x1_i is drawn from the posterior of x_t,i and the others
// from the prior, and picking one of them by w leaves the posterior as it is
// (iterated sampling importance resampling, Andrieu et al. 2018), so only
// variance is lost. It pays where data have few dimensions; between images the
// weights are 0 or 1. The data must not have been paired with the noise.
type StableTargets interface {
	// StableTarget is At with the averaged velocity, of points.
	// x0, x1: [B,D], t: [B] -> xt, u: [B,D].
	StableTarget(x0, x1, t torch.Tensor) (xt, u torch.Tensor)
}
