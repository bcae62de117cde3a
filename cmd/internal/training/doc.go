// Package training is what the commands that train have in common: the flags
// of the optimiser and the recipe that they change, how a run is gone on with,
// and what is said while it goes.
package training
