package metrics

import "math"

// Mean is the mean of values and its standard error, the sample's deviation
// divided by the root of their number; NaN where there are too few.
func Mean(values []float64) (mean, stderr float64) {
	n := float64(len(values))
	for _, v := range values {
		mean += v / n
	}
	if len(values) == 0 {
		return math.NaN(), math.NaN()
	}
	var sum float64
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(sum / (n - 1) / n)
}

// Accuracy is the part of the labels that are as wanted.
func Accuracy(got, want []int64) float64 {
	right := 0
	for i := range want {
		if got[i] == want[i] {
			right++
		}
	}
	return float64(right) / float64(len(want))
}
