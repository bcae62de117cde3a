package plane

import "math"

// mixture: four equal Gaussians of deviation 0.5.
func mixture() *Set {
	return gaussians([][2]float64{{0, -2}, {0, 0}, {2, 2}, {-2, 2}}, 0.5, mixtureEntropy)
}

// eightGaussians: deviation 0.5 around eight centres on a circle of radius 4, all
// divided by 1.414 (Grathwohl et al. 2019, FFJORD's toy data).
func eightGaussians() *Set {
	const shrink = 1 / 1.414
	var centres [][2]float64
	for k := range 8 {
		sin, cos := math.Sincos(float64(k) * math.Pi / 4)
		centres = append(centres, [2]float64{4 * cos * shrink, 4 * sin * shrink})
	}
	return gaussians(centres, 0.5*shrink, eightEntropy)
}

// Entropies by quadrature; TestEntropies computes them again.
const (
	mixtureEntropy = 2.801031
	eightEntropy   = 2.831880
)

// gaussians is a mixture of equal round Gaussians.
func gaussians(centres [][2]float64, sigma, entropy float64) *Set {
	n := uint64(len(centres))
	z := gauss()
	return &Set{
		sample: func(dst []float32, key uint64, first int64) {
			for i := 0; i < len(dst); i, first = i+2, first+1 {
				d := drawsOf(key, first)
				c := &centres[d.below(n)]
				dst[i] = float32(c[0] + sigma*z.normal(&d))
				dst[i+1] = float32(c[1] + sigma*z.normal(&d))
			}
		},
		logDensity: func(x, y float64) float64 {
			// Log-sum-exp: far away every term alone would be 0.
			least := math.Inf(1)
			for _, c := range centres {
				least = min(least, (x-c[0])*(x-c[0])+(y-c[1])*(y-c[1]))
			}
			sum := 0.0
			for _, c := range centres {
				sum += math.Exp((least - (x-c[0])*(x-c[0]) - (y-c[1])*(y-c[1])) / (2 * sigma * sigma))
			}
			return math.Log(sum/float64(n)/(2*math.Pi*sigma*sigma)) - least/(2*sigma*sigma)
		},
		entropy: constant(entropy),
	}
}
