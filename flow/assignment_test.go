package flow

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// total is the sum of an assignment's costs; it fails unless every column is taken
// once.
func total(t *testing.T, cost []float32, of []int32) (sum float64) {
	t.Helper()
	n := len(of)
	taken := make([]bool, n)
	for i, j := range of {
		if j < 0 || int(j) >= n || taken[j] {
			t.Fatalf("row %d has column %d of %v", i, j, of)
		}
		taken[j] = true
		sum += float64(cost[i*n+int(j)])
	}
	return sum
}

// Small ones against all permutations.
func TestAssignSmall(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for trial := range 300 {
		n := 1 + trial%7
		cost := make([]float32, n*n)
		for i := range cost {
			cost[i] = float32(r.NormFloat64())
			if trial%3 == 0 {
				cost[i] = float32(r.IntN(3)) // many are equal
			}
		}
		best := math.Inf(1)
		var permute func(of []int32, used int, sum float64)
		permute = func(of []int32, used int, sum float64) {
			if len(of) == n {
				best = min(best, sum)
				return
			}
			for j := range n {
				if used>>j&1 == 0 {
					permute(append(of, int32(j)), used|1<<j, sum+float64(cost[len(of)*n+j]))
				}
			}
		}
		permute(nil, 0, 0)
		of, _ := assign(cost, n)
		if got := total(t, cost, of); math.Abs(got-best) > 1e-5 {
			t.Errorf("%d rows: %v costs %v, the best %v", n, of, got, best)
		}
	}
}

// Large ones by the proof that the prices are: u_i + v_j <= cost_ij everywhere, with
// u_i of row i's own column, so no other assignment costs less.
func TestAssignProves(t *testing.T) {
	for _, n := range []int{1, 2, 50, 300, 600} {
		for kind, cost := range map[string][]float32{"plane": plane(n, 1), "integers": integers(n)} {
			of, v := assign(cost, n)
			total(t, cost, of)
			for i := range n {
				u := float64(cost[i*n+int(of[i])]) - v[of[i]]
				for j, c := range cost[i*n : (i+1)*n] {
					if gap := float64(c) - v[j] - u; gap < -1e-5 {
						t.Fatalf("%s, %d: row %d would rather have column %d, by %v", kind, n, i, j, -gap)
					}
				}
			}
		}
	}
}

// plane is the squared distances of noise and two clusters of points.
func plane(n int, seed int64) []float32 {
	x := make([]float32, 4*n)
	Noise(x, seed, 0)
	cost := make([]float32, n*n)
	for i := range n {
		for j := range n {
			a, b := x[2*i]-(0.2*x[2*n+2*j]+float32(j%2)*4-2), x[2*i+1]-0.2*x[2*n+2*j+1]
			cost[i*n+j] = a*a + b*b
		}
	}
	return cost
}

func integers(n int) []float32 {
	r := rand.New(rand.NewPCG(3, 4))
	cost := make([]float32, n*n)
	for i := range cost {
		cost[i] = float32(r.IntN(10))
	}
	return cost
}

func BenchmarkAssign(b *testing.B) {
	for _, n := range []int{64, 128, 256, 1024} {
		cost := plane(n, 1)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				assign(cost, n)
			}
		})
	}
}
