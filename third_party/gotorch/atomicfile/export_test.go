package atomicfile

import "time"

// WaitForReaders sets how long a pipe's reader is waited for.
func WaitForReaders(d time.Duration) (before time.Duration) {
	before, readerWait = readerWait, d
	return before
}
