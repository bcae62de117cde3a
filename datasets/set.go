package datasets

import (
	"context"
	"io"

	"flowmatch/datasets/plane"
	"flowmatch/datasets/set"
)

// What sets of both kinds have in common, under names of this package.
type (
	// Info is what is known of a set without reading any of its files.
	Info = set.Info
	// Set is a set that is open: *[Images], or the *[plane.Set] of points.
	Set = set.Set
	// BatchConfig says how a set is dealt out in batches.
	BatchConfig = set.BatchConfig
	// Batches are a set's batches in order, prepared ahead.
	Batches = set.Batches
	// Inventory lists the files that a set was read from, by name and SHA-256.
	Inventory = set.Inventory
	// Frame says how the points of a user's file are laid before a flow.
	Frame = set.Frame
	// FileError says what is wrong with a set's file and what to do about it.
	FileError = set.FileError
	// PanicError is a panic of a worker, handed to the caller of Next.
	PanicError = set.PanicError
)

// Remedy is what to do about a fault, which programs can say in words of their own.
type Remedy = set.Remedy

// Slug turns a set's name into the name of a folder.
func Slug(name string) string { return set.Slug(name) }

// ReadInventory reads a list of files that was written.
func ReadInventory(r io.Reader) (*Inventory, error) { return set.ReadInventory(r) }

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
