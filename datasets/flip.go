package datasets

import "slices"

// flip mirrors about half of a batch's images left to right, chosen by (seed, step).
//
// x: [B,C,H,W]
func flip(x []float32, batch int, shape []int, seed int64, step int) {
	pcg := seeded(seed, uint64(step), flipStream)
	w := shape[2]
	d := shape[0] * shape[1] * w
	var coins uint64
	for j := range batch {
		if j%64 == 0 {
			coins = pcg.Uint64()
		}
		if coins>>(j%64)&1 == 0 {
			continue
		}
		for row := range slices.Chunk(x[j*d:(j+1)*d], w) {
			slices.Reverse(row)
		}
	}
}
