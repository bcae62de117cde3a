package flow

import "math"

// assign gives each of n rows a column of its own so that the sum of the costs is
// least: column of[i] to row i. cost: [n,n] row-major and finite.
//
// It is the algorithm of Jonker and Volgenant 1987: prices v of the columns are
// lowered until most rows can have their cheapest column, and the others take
// theirs along shortest augmenting paths. With the prices u of the rows that follow
// from it, u_i + v_j <= cost_ij everywhere and equal at the pairs, which proves
// that they are the best ones.
func assign(cost []float32, n int) (of []int32, v []float64) {
	a := &assignment{n: n, cost: cost, row: make([]int32, n), col: make([]int32, n), v: make([]float64, n)}
	free := a.reduceColumns()
	for range 2 {
		free = a.reduceRows(free)
	}
	a.augment(free)
	return a.row, a.v
}

type assignment struct {
	n    int
	cost []float32
	row  []int32   // column of every row, -1 for none
	col  []int32   // row of every column, -1 for none
	v    []float64 // price of every column
}

// reduceColumns prices every column at its cheapest row, which takes it if it has
// no other; prices of rows with one column are lowered to what the second best of
// it is. It gives the rows that are left.
func (a *assignment) reduceColumns() (free []int32) {
	n := a.n
	for i := range n {
		a.row[i], a.col[i] = -1, -1
	}
	best := make([]int32, n)
	for j := range n {
		a.v[j] = math.Inf(1)
	}
	for i := range n {
		for j, c := range a.cost[i*n : (i+1)*n] {
			if float64(c) < a.v[j] {
				a.v[j], best[j] = float64(c), int32(i)
			}
		}
	}
	taken := make([]int, n)
	for j := n - 1; j >= 0; j-- {
		i := best[j]
		if taken[i]++; taken[i] == 1 {
			a.row[i], a.col[j] = int32(j), i
		}
	}
	for i := range n {
		switch taken[i] {
		case 0:
			free = append(free, int32(i))
		case 1:
			own, least := int(a.row[i]), math.Inf(1)
			for j, c := range a.cost[i*n : (i+1)*n] {
				if j != own {
					least = min(least, float64(c)-a.v[j])
				}
			}
			if !math.IsInf(least, 1) {
				a.v[own] -= least
			}
		}
	}
	return free
}

// reduceRows lets free rows have their cheapest column, lowering its price by as
// much as the second best is dearer; who had it is free then.
func (a *assignment) reduceRows(free []int32) (left []int32) {
	n := a.n
	k := 0
	for turns := 0; k < len(free) && turns < 4*n; turns++ {
		i := free[k]
		k++
		j1, j2, u1, u2 := a.cheapest(int(i))
		if j1 < 0 {
			left = append(left, i)
			continue
		}
		lower := u1 < u2
		if lower {
			a.v[j1] -= u2 - u1
		} else if a.col[j1] >= 0 && j2 >= 0 {
			j1 = j2 // as cheap, and perhaps free
		}
		was := a.col[j1]
		a.row[i], a.col[j1] = int32(j1), i
		if was >= 0 {
			a.row[was] = -1
			if lower {
				k--
				free[k] = was // at once
			} else {
				left = append(left, was)
			}
		}
	}
	return append(left, free[k:]...)
}

// cheapest are the two cheapest columns for a row and what they cost at their
// prices.
func (a *assignment) cheapest(i int) (j1, j2 int, u1, u2 float64) {
	j1, j2, u1, u2 = -1, -1, math.Inf(1), math.Inf(1)
	for j, c := range a.cost[i*a.n : (i+1)*a.n] {
		switch h := float64(c) - a.v[j]; {
		case h < u1:
			j2, u2 = j1, u1
			j1, u1 = j, h
		case h < u2:
			j2, u2 = j, h
		}
	}
	return j1, j2, u1, u2
}

// augment gives every free row a column by the shortest path (Dijkstra's) that
// ends in a free one: along it the rows change columns.
func (a *assignment) augment(free []int32) {
	n := a.n
	dist, from := make([]float64, n), make([]int32, n)
	cols := make([]int32, n) // [0,done): scanned, [done,near): at the least distance, the rest farther
	for _, start := range free {
		row := a.cost[int(start)*n:][:n]
		for j := range n {
			dist[j], from[j], cols[j] = float64(row[j])-a.v[j], start, int32(j)
		}
		done, near, scanned, end := 0, 0, 0, -1
		least := 0.0
		for end < 0 {
			if done == near {
				// The nearest columns are next, and what was scanned before has a price.
				scanned, least = done, dist[cols[near]]
				near++
				for k := near; k < n; k++ {
					j := cols[k]
					if h := dist[j]; h <= least {
						if h < least {
							near, least = done, h
						}
						cols[k], cols[near] = cols[near], j
						near++
					}
				}
				for _, j := range cols[done:near] {
					if a.col[j] < 0 {
						end = int(j)
						break
					}
				}
				if end >= 0 {
					break
				}
			}
			j1 := cols[done]
			done++
			i := a.col[j1]
			row := a.cost[int(i)*n:][:n]
			base := float64(row[j1]) - a.v[j1] - least
			for k := near; k < n; k++ {
				j := cols[k]
				h := float64(row[j]) - a.v[j] - base
				if h >= dist[j] {
					continue
				}
				dist[j], from[j] = h, i
				if h > least {
					continue
				}
				if a.col[j] < 0 {
					end = int(j)
					break
				}
				cols[k], cols[near] = cols[near], j
				near++
			}
		}
		for _, j := range cols[:scanned] {
			a.v[j] += dist[j] - least
		}
		for j := int32(end); ; {
			i := from[j]
			a.col[j] = i
			j, a.row[i] = a.row[i], j
			if i == start {
				break
			}
		}
	}
}
