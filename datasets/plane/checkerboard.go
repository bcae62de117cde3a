package plane

import "math"

// checkerSide is the side of one square of the board.
const checkerSide = 1 / 0.45

// checkerboard: x1 = 4U-2, x2 = U - 2 Bernoulli(1/2) + (floor(x1) mod 2), both divided
// by 0.45.
func checkerboard() *Set {
	return &Set{
		sample: func(dst []float32, key uint64, first int64) {
			for i := 0; i < len(dst); i, first = i+2, first+1 {
				d := drawsOf(key, first)
				bits := d.next()
				u := float64(bits>>11) * 0x1p-51 // [0,4)
				column := bits >> 62             // floor of u; floor(u-2) has its parity
				bits = d.next()
				v := float64(bits>>11) * 0x1p-53
				coin := bits & 1 // a bit that v does not use
				dst[i] = float32((u - 2) * checkerSide)
				dst[i+1] = float32((v + float64(column&1) - 2*float64(coin)) * checkerSide)
			}
		},
		logDensity: func(x, y float64) float64 {
			// float32 may round a point over its square's edge: edges count as inside.
			const slack = 1e-6
			for _, dx := range [2]float64{-slack, slack} {
				for _, dy := range [2]float64{-slack, slack} {
					a, b := math.Floor((x+dx)/checkerSide), math.Floor((y+dy)/checkerSide)
					if math.Abs(a+0.5) < 2 && math.Abs(b+0.5) < 2 && math.Mod(a+b, 2) == 0 {
						return -checkerEntropy
					}
				}
			}
			return math.Inf(-1)
		},
		entropy: constant(checkerEntropy),
	}
}

// checkerEntropy is the logarithm of the area of the eight squares.
var checkerEntropy = math.Log(8 * checkerSide * checkerSide)
