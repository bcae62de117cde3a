package plane

import "math"

const (
	blades          = 5
	bladeRadial     = 0.3 // deviation along a blade
	bladeSideways   = 0.1 // and across it
	bladeTwist      = 0.25
	bladeScale      = 2
	pinwheelEntropy = 2.31778 // by quadrature; TestEntropies computes it again
)

// pinwheel: f = (1 + 0.3 Z, 0.1 Z'), turned backwards by 2 pi k/5 + 0.25 exp(f1) for one
// of five blades k, times 2 (Johnson et al. 2016; the numbers are FFJORD's).
func pinwheel() *Set {
	z := gauss()
	var cosines, sines [blades]float64
	for k := range blades {
		sines[k], cosines[k] = math.Sincos(2 * math.Pi * float64(k) / blades)
	}
	return &Set{
		sample: func(dst []float32, key uint64, first int64) {
			for i := 0; i < len(dst); i, first = i+2, first+1 {
				d := drawsOf(key, first)
				k := d.below(blades)
				a := 1 + bladeRadial*z.normal(&d)
				b := bladeSideways * z.normal(&d)
				sin, cos := math.Sincos(bladeTwist * math.Exp(a))
				x, y := a*cos+b*sin, b*cos-a*sin
				dst[i] = float32(bladeScale * (x*cosines[k] + y*sines[k]))
				dst[i+1] = float32(bladeScale * (y*cosines[k] - x*sines[k]))
			}
		},
		logDensity: func(x, y float64) float64 {
			x, y = x/bladeScale, y/bladeScale
			sum := 0.0
			for k := range blades {
				sum += bladeDensity(x*cosines[k]-y*sines[k], y*cosines[k]+x*sines[k])
			}
			return math.Log(sum / blades / (bladeScale * bladeScale))
		},
		entropy: constant(pinwheelEntropy),
	}
}

// bladeDensity is that of blade 0 before scaling. Its map (a,b) -> R(-t(a)) (a,b), with
// t(a) = 0.25 e^a, keeps lengths, so b is known from a but for its sign, and the points
// that are sent to (x,y) are the roots of g(a) = a - [R(t(a)) (x,y)]_1. The map's
// determinant is g'(a) = 1 + t'(a) b.
func bladeDensity(x, y float64) float64 {
	// Beyond so many deviations of a and of b there is nothing.
	const reach = 8
	length := math.Hypot(x, y)
	// b^2 = length^2 - a^2 bounds a from below.
	least := math.Sqrt(max(0, length*length-reach*reach*bladeSideways*bladeSideways))
	lo, hi := 1-reach*bladeRadial, 1+reach*bladeRadial
	if least == 0 {
		return bladeRoots(x, y, max(lo, -length), min(hi, length))
	}
	return bladeRoots(x, y, max(lo, -length), -least) + bladeRoots(x, y, least, min(hi, length))
}

// bladeRoots is the part of the density that comes from a between lo and hi.
func bladeRoots(x, y, lo, hi float64) float64 {
	if lo >= hi {
		return 0
	}
	turned := func(a float64) (first, second, twist float64) {
		twist = bladeTwist * math.Exp(a)
		sin, cos := math.Sincos(twist)
		return x*cos - y*sin, x*sin + y*cos, twist
	}
	g := func(a float64) float64 { f, _, _ := turned(a); return a - f }

	const longest = 0.03 // steps between which g turns but once
	pieces := math.Ceil((hi - lo) / longest)
	step := (hi - lo) / pieces
	sum := 0.0
	left, gLeft := lo, g(lo)
	for i := 1.0; i <= pieces; i++ {
		right := lo + i*step
		gRight := g(right)
		if gLeft <= 0 != (gRight <= 0) {
			a := root(g, left, right, gLeft, gRight)
			_, b, twist := turned(a)
			u, v := (a-1)/bladeRadial, b/bladeSideways
			p := math.Exp(-(u*u+v*v)/2) / (2 * math.Pi * bladeRadial * bladeSideways)
			sum += p / math.Abs(1+twist*b)
		}
		left, gLeft = right, gRight
	}
	return sum
}

// root finds where g changes its sign between a and b, by the secant's rule in the
// Illinois form.
func root(g func(float64) float64, a, b, ga, gb float64) float64 {
	for range 60 {
		c := b - gb*(b-a)/(gb-ga)
		gc := g(c)
		if gc == 0 || math.Abs(b-a) < 1e-14 || math.Abs(gc) < 1e-15 {
			return c
		}
		if gc < 0 != (gb < 0) {
			a, ga = b, gb
		} else {
			ga /= 2
		}
		b, gb = c, gc
	}
	return b
}
