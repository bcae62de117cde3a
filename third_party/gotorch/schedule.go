package gotorch

import (
	"math"
	"slices"
)

// Schedule is the learning rate of a step, counted from 0: a function, so
// that going on at any step needs no state. The names are PyTorch's
// (torch.optim.lr_scheduler), whose values these are. A length that is not
// positive is an *Error.
type Schedule func(step int64) float64

// ConstantLR is lr in every step: PyTorch's ConstantLR with factor 1.
func ConstantLR(lr float64) Schedule { return func(int64) float64 { return lr } }

func positive(op string, steps int64) {
	if steps <= 0 {
		failf(op, "%d steps make no schedule", steps)
	}
}

// StepLR multiplies lr by gamma after every so many steps.
func StepLR(lr float64, every int64, gamma float64) Schedule {
	positive("StepLR", every)
	return func(step int64) float64 { return lr * math.Pow(gamma, float64(step/every)) }
}

// MultiStepLR multiplies lr by gamma at each of the milestones.
func MultiStepLR(lr float64, milestones []int64, gamma float64) Schedule {
	m := slices.Sorted(slices.Values(milestones))
	return func(step int64) float64 {
		passed, _ := slices.BinarySearch(m, step+1)
		return lr * math.Pow(gamma, float64(passed))
	}
}

// ExponentialLR multiplies lr by gamma in every step.
func ExponentialLR(lr, gamma float64) Schedule {
	return func(step int64) float64 { return lr * math.Pow(gamma, float64(step)) }
}

// CosineAnnealingLR goes from lr to least in steps along half a cosine
// (Loshchilov and Hutter 2017), and up again after that.
func CosineAnnealingLR(lr float64, steps int64, least float64) Schedule {
	positive("CosineAnnealingLR", steps)
	return func(step int64) float64 {
		return least + (lr-least)*(1+math.Cos(math.Pi*float64(step)/float64(steps)))/2
	}
}

// LinearLR goes from first lr to last lr in steps along a line: warm-up where
// first < last = 1.
func LinearLR(lr, first, last float64, steps int64) Schedule {
	positive("LinearLR", steps)
	return func(step int64) float64 {
		return lr * (first + (last-first)*float64(min(step, steps))/float64(steps))
	}
}

// PolynomialLR goes from lr to 0 in steps, by (1 - step/steps)^power.
func PolynomialLR(lr float64, steps int64, power float64) Schedule {
	positive("PolynomialLR", steps)
	return func(step int64) float64 {
		return lr * math.Pow(1-float64(min(step, steps))/float64(steps), power)
	}
}

// OneCycleOptions configure OneCycleLR; the zero value of a field stands for
// PyTorch's default.
type OneCycleOptions struct {
	Rise       float64 // 0.3: the part of the steps that the rate rises in
	StartLower float64 // 25: it starts at the greatest rate / StartLower
	EndLower   float64 // 1e4: it ends at the first rate / EndLower
}

// OneCycleLR rises to greatest and falls again, along cosines, in steps
// (Smith and Topin 2019).
func OneCycleLR(greatest float64, steps int64, o OneCycleOptions) Schedule {
	positive("OneCycleLR", steps)
	set := func(v *float64, dft float64) {
		if *v == 0 {
			*v = dft
		}
	}
	set(&o.Rise, 0.3)
	set(&o.StartLower, 25)
	set(&o.EndLower, 1e4)
	first := greatest / o.StartLower
	last := first / o.EndLower
	top := o.Rise*float64(steps) - 1
	end := float64(steps - 1)
	if top <= 0 || top >= end {
		failf("OneCycleLR", "%d steps, of which the rate rises in a part of %v: there must be a step to rise and one to fall in", steps, o.Rise)
	}
	along := func(a, b, part float64) float64 { return b + (a-b)/2*(1+math.Cos(math.Pi*part)) }
	return func(step int64) float64 {
		if s := min(float64(step), end); s <= top {
			return along(first, greatest, s/top)
		} else {
			return along(greatest, last, (s-top)/(end-top))
		}
	}
}

// CosineAnnealingWarmRestarts is CosineAnnealingLR that starts again after
// first steps, then after factor times as many, and so on.
func CosineAnnealingWarmRestarts(lr float64, first, factor int64, least float64) Schedule {
	const op = "CosineAnnealingWarmRestarts"
	positive(op, first)
	if factor < 1 {
		failf(op, "the factor is %d; it must be 1 or more", factor)
	}
	return func(step int64) float64 {
		length := first
		for step >= length {
			if factor == 1 {
				step %= length
				break
			}
			step -= length
			length *= factor
		}
		return CosineAnnealingLR(lr, length, least)(step)
	}
}

// SequentialLR follows the first schedule up to the first milestone, then the
// second one, which counts from there, and so on.
func SequentialLR(schedules []Schedule, milestones []int64) Schedule {
	if len(schedules) != len(milestones)+1 {
		failf("SequentialLR", "%d schedules need %d milestones, there are %d", len(schedules), len(schedules)-1, len(milestones))
	}
	return func(step int64) float64 {
		i, start := 0, int64(0)
		for i < len(milestones) && step >= milestones[i] {
			start = milestones[i]
			i++
		}
		return schedules[i](step - start)
	}
}
