// Package set is what sets of images and sets of points have in common: what is known of
// one without its files ([Info]), and what is wrong with a file of one ([FileError]).
// Package datasets gives these names of its own.
package set
