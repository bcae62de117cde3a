// Package measures is what evaluate and compare share, so that both find the
// same numbers: the random numbers of each purpose, the distance to a set of
// points, and results as JSON has them.
package measures
