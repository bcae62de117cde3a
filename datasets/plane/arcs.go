package plane

import "math"

// arc is a curve that points lie on before noise is added: a weighted list of places
// that stands for the integral along it, by Gauss and Legendre's rule on pieces so
// short that the noise smooths them into one.
type arc struct {
	x, y, weight []float64 // the weights' sum is 1
	sigma        float64   // of the Gaussian noise
	box          float64   // side of the square [0,box]^2 of uniform noise added before; 0 for none
	pieces       []Range   // around each piece's places
}

// newArc takes the curve at(u) for u from 0 to 1, with density(u) along u. pieces must
// be at most about 3 sigma long.
func newArc(pieces int, sigma, box float64, density func(u float64) float64, at func(u float64) (x, y float64)) *arc {
	a := &arc{sigma: sigma, box: box}
	for p := range pieces {
		inf := math.Inf(1)
		around := Range{inf, -inf, inf, -inf}
		for k, node := range legendreNodes {
			u := (float64(p) + 0.5 + node/2) / float64(pieces)
			x, y := at(u)
			a.x = append(a.x, x)
			a.y = append(a.y, y)
			a.weight = append(a.weight, legendreWeights[k]/2/float64(pieces)*density(u))
			around.X0, around.X1 = min(around.X0, x), max(around.X1, x)
			around.Y0, around.Y1 = min(around.Y0, y), max(around.Y1, y)
		}
		a.pieces = append(a.pieces, around)
	}
	return a
}

func evenly(float64) float64 { return 1 }

// noiseReach is where the noise's density is as good as nothing, in deviations.
const noiseReach = 8

// density is the arc's own, blurred by its noise.
func (a *arc) density(x, y float64) float64 {
	reach := noiseReach * a.sigma
	sum := 0.0
	for p, r := range a.pieces {
		if x < r.X0-reach || x > r.X1+a.box+reach || y < r.Y0-reach || y > r.Y1+a.box+reach {
			continue
		}
		n := len(legendreNodes)
		for i := p * n; i < (p+1)*n; i++ {
			dx, dy := x-a.x[i], y-a.y[i]
			if a.box == 0 {
				sum += a.weight[i] * math.Exp(-(dx*dx+dy*dy)/(2*a.sigma*a.sigma))
			} else {
				sum += a.weight[i] * blurredStep(dx, a.box, a.sigma) * blurredStep(dy, a.box, a.sigma)
			}
		}
	}
	if a.box == 0 {
		sum /= 2 * math.Pi * a.sigma * a.sigma
	}
	return sum
}

// far is the logarithm of the density where that itself is 0 for its smallness: of the
// nearest place alone.
func (a *arc) far(x, y float64) float64 {
	nearest, weight := math.Inf(1), 0.0
	for i := range a.x {
		dx, dy := x-a.x[i], y-a.y[i]
		dx -= min(a.box, max(0, dx))
		dy -= min(a.box, max(0, dy))
		if d := dx*dx + dy*dy; d < nearest {
			nearest, weight = d, a.weight[i]
		}
	}
	return math.Log(weight/(2*math.Pi*a.sigma*a.sigma)) - nearest/(2*a.sigma*a.sigma)
}

// logDensity is the logarithm of the mean density of several arcs.
func logDensity(arcs ...*arc) func(x, y float64) float64 {
	return func(x, y float64) float64 {
		sum := 0.0
		for _, a := range arcs {
			sum += a.density(x, y)
		}
		if sum > 0 {
			return math.Log(sum / float64(len(arcs)))
		}
		best := math.Inf(-1)
		for _, a := range arcs {
			best = max(best, a.far(x, y))
		}
		return best - math.Log(float64(len(arcs)))
	}
}

// blurredStep is the density of U + sigma Z at d, U uniform on [0,box].
func blurredStep(d, box, sigma float64) float64 {
	s := 1 / (sigma * math.Sqrt2)
	return (math.Erf(d*s) - math.Erf((d-box)*s)) / (2 * box)
}

// legendreNodes and legendreWeights are Gauss and Legendre's rule of 16 points on [-1,1].
var legendreNodes, legendreWeights = legendre(16)

func legendre(n int) (nodes, weights []float64) {
	for i := range n {
		x := math.Cos(math.Pi * (float64(i) + 0.75) / (float64(n) + 0.5))
		var slope float64
		for range 10 { // Newton's steps to the root of the polynomial
			p0, p1 := 1.0, x
			for k := 2; k <= n; k++ {
				p0, p1 = p1, (float64(2*k-1)*x*p1-float64(k-1)*p0)/float64(k)
			}
			slope = float64(n) * (x*p1 - p0) / (x*x - 1)
			x -= p1 / slope
		}
		nodes = append(nodes, x)
		weights = append(weights, 2/((1-x*x)*slope*slope))
	}
	return nodes, weights
}
