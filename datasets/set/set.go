package set

import (
	"fmt"
	"time"
)

// Set is a set that is open, of whichever kind. Its methods may be called from any number of
// goroutines, but Reclass.
type Set interface {
	// Describe is what is known of it, with what only its files tell.
	Describe() Info
	// Notes says what a user should know of it before training on it, a line each.
	Notes() []string
	// Len is the number of its samples, 0 where fresh ones are drawn without end.
	Len() int
	// Inventory lists the files that it was read from; nil where there are none, or where
	// Info.Data alone tells what it holds.
	Inventory() *Inventory
	// Reclass numbers the classes as a model has them that was trained on the set when they
	// were listed in another order. It is false, and changes nothing, where they are not the
	// same classes, or there are none.
	Reclass(names []string) bool
	// Unlabelled is the set without its labels, for a model without classes: they decide
	// nothing there, not even which noise is near.
	Unlabelled() Set
	// Batches deals the set out.
	Batches(BatchConfig) (Batches, error)
}

// BatchConfig says how a set is dealt out. Only Size must be set.
type BatchConfig struct {
	Size           int   // samples a batch
	Seed           int64 // decides which samples a batch has, with its number
	Start          int   // batches already used: the first one is this
	HorizontalFlip bool  // mirror each image with probability 1/2; of points it means nothing
	Cores          int   // that may draw points at once; 0 is 1. Loaders of images choose themselves
}

// Batches are a set's batches, prepared ahead, for one goroutine. What a batch holds depends on
// the configuration and its number alone.
type Batches interface {
	// Next is the next batch, x: [B,...], y: [B] or nil for a set without classes. They
	// hold until the next call.
	Next() (x []float32, y []int64, err error)
	// Waited is the time that Next has spent waiting.
	Waited() time.Duration
	// Close ends what prepares batches, and a Next that waits. It may come from another
	// goroutine, and twice.
	Close()
}

// PanicError is a panic of a goroutine that prepares batches, handed to the caller of Next.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("datasets: a worker panicked: %v", e.Value) }
