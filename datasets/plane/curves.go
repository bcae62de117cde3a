package plane

import "math"

// Entropies by quadrature; TestEntropies computes them again.
const (
	moonsEntropy   = 0.289234
	ringsEntropy   = 2.623183
	spiralsEntropy = 2.645450
	rollEntropy    = 2.669646
)

// moons: scikit-learn's make_moons with noise 0.05, but for the angles, which are
// independent draws and not evenly spaced.
func moons() *Set {
	const noise = 0.05
	z := gauss()
	upper := newArc(24, noise, 0, evenly, func(u float64) (x, y float64) {
		sin, cos := math.Sincos(math.Pi * u)
		return cos, sin
	})
	lower := newArc(24, noise, 0, evenly, func(u float64) (x, y float64) {
		sin, cos := math.Sincos(math.Pi * u)
		return 1 - cos, 0.5 - sin
	})
	return &Set{
		sample: func(dst []float32, key uint64, first int64) {
			for i := 0; i < len(dst); i, first = i+2, first+1 {
				d := drawsOf(key, first)
				coin := d.next() >> 63
				x, y := d.circle()
				y = math.Abs(y)
				if coin == 1 {
					x, y = 1-x, 0.5-y
				}
				dst[i] = float32(x + noise*z.normal(&d))
				dst[i+1] = float32(y + noise*z.normal(&d))
			}
		},
		logDensity: logDensity(upper, lower),
		entropy:    constant(moonsEntropy),
	}
}

// rings: circles of radius 0.75, 1.5, 2.25 and 3 with noise 0.08 (FFJORD's toy data,
// its angles here being independent draws).
func rings() *Set {
	const noise, step = 0.08, 0.75
	z := gauss()
	return &Set{
		sample: func(dst []float32, key uint64, first int64) {
			for i := 0; i < len(dst); i, first = i+2, first+1 {
				d := drawsOf(key, first)
				r := step * float64(1+d.next()>>62)
				x, y := d.circle()
				dst[i] = float32(r*x + noise*z.normal(&d))
				dst[i+1] = float32(r*y + noise*z.normal(&d))
			}
		},
		// A circle of radius R under Gaussian noise has, at distance r from its middle,
		// the density exp(-(r-R)^2/2s^2) e^-k I0(k) / 2 pi s^2 with k = rR/s^2.
		logDensity: func(x, y float64) float64 {
			const s2 = noise * noise
			r := math.Hypot(x, y)
			nearest := math.Inf(1)
			for k := 1; k <= 4; k++ {
				nearest = min(nearest, (r-float64(k)*step)*(r-float64(k)*step))
			}
			sum := 0.0
			for k := 1; k <= 4; k++ {
				R := float64(k) * step
				sum += math.Exp((nearest-(r-R)*(r-R))/(2*s2)) * scaledBessel(r*R/s2)
			}
			return math.Log(sum/4/(2*math.Pi*s2)) - nearest/(2*s2)
		},
		entropy: constant(ringsEntropy),
	}
}

// scaledBessel is e^-k I0(k), I0 being the modified Bessel function, for k >= 0.
func scaledBessel(k float64) float64 {
	if k > 40 { // Abramowitz and Stegun, 9.7.1: terms fall to 1e-17 before they rise
		sum, term := 1.0, 1.0
		for n := 1.0; n < 20; n++ {
			term *= (2*n - 1) * (2*n - 1) / (8 * k * n)
			sum += term
		}
		return sum / math.Sqrt(2*math.Pi*k)
	}
	sum, term := 1.0, 1.0 // 9.6.12
	for n := 1.0; term > 1e-17*sum; n++ {
		term *= k * k / (4 * n * n)
		sum += term
	}
	return sum * math.Exp(-k)
}

// spirals: angle a = 3 pi sqrt(U), arms at -+a(cos a, -sin a) with uniform noise of
// 0.5 a coordinate, all divided by 3, and Gaussian noise 0.1 (FFJORD's 2spirals).
func spirals() *Set {
	const noise, box, longest = 0.1, 0.5 / 3, 3 * math.Pi
	z := gauss()
	arm := newArc(60, noise, box,
		// Along u = a/longest, sqrt(U) has density 2u.
		func(u float64) float64 { return 2 * u },
		func(u float64) (x, y float64) {
			sin, cos := math.Sincos(longest * u)
			return -cos * longest * u / 3, sin * longest * u / 3
		})
	return &Set{
		sample: func(dst []float32, key uint64, first int64) {
			for i := 0; i < len(dst); i, first = i+2, first+1 {
				d := drawsOf(key, first)
				bits := d.next()
				a := longest * math.Sqrt(float64(bits>>11)*0x1p-53)
				sin, cos := math.Sincos(a)
				x := -cos*a/3 + box*d.uniform()
				y := sin*a/3 + box*d.uniform()
				if bits&1 == 1 {
					x, y = -x, -y
				}
				dst[i] = float32(x + noise*z.normal(&d))
				dst[i+1] = float32(y + noise*z.normal(&d))
			}
		},
		// The second arm is the first one turned by half a turn, its noise with it.
		logDensity: func(x, y float64) float64 {
			if p := arm.density(x, y) + arm.density(-x, -y); p > 0 {
				return math.Log(p / 2)
			}
			return max(arm.far(x, y), arm.far(-x, -y)) - math.Ln2
		},
		entropy: constant(spiralsEntropy),
	}
}

// swissRoll: scikit-learn's make_swiss_roll seen from the side, with noise 1, divided
// by 5 (FFJORD's toy data): a(cos a, sin a) for a even between 1.5 pi and 4.5 pi.
func swissRoll() *Set {
	const noise, shrink = 0.2, 0.2
	angle := func(u float64) float64 { return 1.5 * math.Pi * (1 + 2*u) }
	z := gauss()
	roll := newArc(40, noise, 0, evenly, func(u float64) (x, y float64) {
		a := angle(u)
		sin, cos := math.Sincos(a)
		return shrink * a * cos, shrink * a * sin
	})
	return &Set{
		sample: func(dst []float32, key uint64, first int64) {
			for i := 0; i < len(dst); i, first = i+2, first+1 {
				d := drawsOf(key, first)
				a := angle(d.uniform())
				sin, cos := math.Sincos(a)
				dst[i] = float32(shrink*a*cos + noise*z.normal(&d))
				dst[i+1] = float32(shrink*a*sin + noise*z.normal(&d))
			}
		},
		logDensity: logDensity(roll),
		entropy:    constant(rollEntropy),
	}
}
