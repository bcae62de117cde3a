package figures

import (
	"fmt"
	"strings"

	"flowmatch/flow"
)

// Title names a picture: what it shows, by which solver and seed. Empty parts are left
// out.
func Title(parts ...string) string {
	var said []string
	for _, p := range parts {
		if p != "" {
			said = append(said, p)
		}
	}
	return strings.Join(said, ", ")
}

// SolverName is a solver in a title: "midpoint 20" for 20 steps.
func SolverName(s flow.Solver) string {
	if f, ok := s.(flow.FixedStep); ok {
		name, _, _ := strings.Cut(f.String(), ",")
		return fmt.Sprintf("%s %d", name, f.Steps)
	}
	name, _, _ := strings.Cut(s.String(), ",")
	return name
}

// SeedName is a seed in a title.
func SeedName(seed int64) string { return fmt.Sprintf("seed %d", seed) }
