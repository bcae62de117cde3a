package weights

import "errors"

// What readers refuse, for errors.Is. Every message is one line that goes on to say what and where.
var (
	// ErrDamaged: the file contradicts itself, its checksums, or its length.
	ErrDamaged = errors.New("damaged")
	// ErrRefused: whole perhaps, but with content that a weight file must not or need not have.
	ErrRefused = errors.New("refused")
	// ErrNewerFormat: the record's format is higher than this version knows.
	ErrNewerFormat = errors.New("written by a newer flowmatch")
	// ErrLimit: larger than a reader's limit, which can be raised.
	ErrLimit = errors.New("over the limit")
)
