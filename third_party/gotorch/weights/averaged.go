package weights

import (
	"slices"
	"strings"
)

// Averaged tells by a part's name whether it holds the moving average of weights, as "ema_model" does.
func Averaged(name string) bool {
	return slices.ContainsFunc(words(name), func(w string) bool {
		switch w {
		case "ema", "swa", "avg", "averaged", "average", "shadow", "polyak":
			return true
		}
		return false
	}) && !Optimiser(name)
}

// Optimiser tells by a part's name whether it holds an optimiser's state, whose tensors may have the weights' names.
func Optimiser(name string) bool {
	return slices.ContainsFunc(strings.Split(name, "."), func(part string) bool {
		switch part {
		case "exp_avg", "exp_avg_sq", "max_exp_avg_sq", "momentum_buffer", "optim", "optimizer", "optimizer_states", "optimiser":
			return true
		}
		return false
	})
}

func words(name string) []string {
	return strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '.' || r == '_' || r == '-' })
}
