package datasets

// Closest is the name of a list that the given one may have been meant for, or
// "".
func Closest(name string, names []string) string {
	best, far := "", max(2, len(name)/3)+1
	for _, n := range names {
		if d := editDistance(name, n); d < far {
			best, far = n, d
		}
	}
	return best
}
