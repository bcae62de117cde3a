package trainer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wangkuiyi/gotorch/weights"
)

// consistent checks the parts against each other: whether they fit the network is
// known when that is built. What no run can have come to is damage, for a state before it
// may be whole.
func (s *State) consistent() error {
	parts := []string{partModel, partAvg, partAvgSq}
	if s.Record.Training.Configuration.EMADecay > 0 {
		parts = append(parts, partEMA)
	}
	for name, w := range s.file.Tensors.All() {
		switch name {
		case "losses", "grad_norms", timeLossName: // of steps that were left out
			continue
		}
		if !w.Finite() {
			return fmt.Errorf("%s is not finite", name)
		}
		if name == adamwSteps || name == timeLossSumName {
			continue
		}
		k := slices.IndexFunc(parts, func(part string) bool { return strings.HasPrefix(name, part) })
		if k < 0 {
			return fmt.Errorf("%.200s is nothing that the state of such a run has", name)
		}
		base := name[len(parts[k]):]
		for _, part := range parts {
			if o := s.file.Tensors.Get(part + base); o == nil || o.DType != w.DType || !slices.Equal(o.Shape, w.Shape) {
				return fmt.Errorf("%s%s is not there, or not as %s is", part, base, name)
			}
		}
		if parts[k] == partAvgSq {
			squares, err := w.Float32s()
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if slices.ContainsFunc(squares, func(v float32) bool { return v < 0 }) {
				return fmt.Errorf("%s is a mean of squares and has a number below 0", name)
			}
		}
	}
	return s.updates()
}

// mostCounted is the updates that float32 counts.
const mostCounted = 1 << 24

// updates checks that AdamW has done the steps whose loss and gradient were finite, as
// engine.update does.
func (s *State) updates() error {
	count := 0
	for i, loss := range s.Losses {
		if loss < 0 || s.GradNorms[i] < 0 {
			return fmt.Errorf("step %d has the loss %v and the gradient norm %v: neither is ever below 0", i+1, loss, s.GradNorms[i])
		}
		if finite(loss + s.GradNorms[i]) {
			count++
		}
	}
	w := s.file.Tensors.Get(adamwSteps)
	if w == nil || w.DType != weights.Float || len(w.Shape) > 0 {
		return fmt.Errorf("%s is no number of steps", adamwSteps)
	}
	n, err := w.Float32s()
	if err != nil {
		return fmt.Errorf("%s: %w", adamwSteps, err)
	}
	// Beyond what it counts to, a step that is left out takes one off.
	if count < mostCounted && n[0] != float32(count) || count >= mostCounted && n[0] != mostCounted && n[0] != mostCounted-1 {
		return fmt.Errorf("%s is %v, and %d steps had a finite loss and gradient", adamwSteps, n[0], count)
	}
	return nil
}
