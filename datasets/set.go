package datasets

import (
	"context"

	"flowmatch/datasets/plane"
	"flowmatch/datasets/set"
)

// Info is what is known of a set without reading any of its files.
type Info = set.Info

// FileError says what is wrong with a set's file and what to do about it.
type FileError = set.FileError

// Remedy is what to do about a fault, which programs can say in words of their own.
type Remedy = set.Remedy

// Slug turns a set's name into the name of a folder.
func Slug(name string) string { return set.Slug(name) }

// Set is a set that is open: *[Images], or the *[plane.Set] of points.
type Set interface {
	// Describe is what is known of it, with what only its files tell.
	Describe() Info
	// Notes says what a user should know of it before training on it, a line each.
	Notes() []string
}

// OpenSet opens a set of whichever kind: [OpenContext] for images, and [plane.Open].
func OpenSet(ctx context.Context, name string, opts Options) (Set, error) {
	e, err := find(name)
	if err != nil {
		return nil, err
	}
	if e.open != nil {
		return OpenContext(ctx, name, opts)
	}
	return plane.Open(e.info.Name)
}
