// Package measures is what evaluate and compare share, so that both find the
// same numbers: the random numbers of each purpose, and the distance to a set of points.
package measures
