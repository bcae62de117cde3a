package datasets

import (
	"slices"
	"strings"
)

// Nearest lists the known names that the given one may have been meant for,
// closest first: those it begins or that begin it, and those within a few slips
// of the hand.
func Nearest(name string) []string {
	wanted := canonical(name)
	type candidate struct {
		name string
		far  int
	}
	var found []candidate
	for _, known := range Names() {
		far := editDistance(wanted, known)
		part := len(wanted) >= 3 && (strings.Contains(known, wanted) || strings.Contains(wanted, known))
		if part || far <= max(1, len(known)/3) {
			found = append(found, candidate{known, far})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return a.far - b.far })
	names := make([]string, len(found))
	for i, c := range found {
		names[i] = c.name
	}
	return names
}

// editDistance counts the single letters to insert, delete, replace or swap with
// their neighbour that turn a into b (optimal string alignment).
func editDistance(a, b string) int {
	const longest = 64 // longer names are near nothing
	if len(a) > longest {
		return len(a)
	}
	prev2 := make([]int, len(b)+1)
	prev := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], prev2[j-2]+1)
			}
		}
		prev2, prev, row = prev, row, prev2
	}
	return prev[len(b)]
}
