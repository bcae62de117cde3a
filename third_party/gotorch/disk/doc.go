// Package disk has the operations by which files are written that must outlast the process: checkpoints, pairs, metrics,
// figures, downloads. All who write such files use them, and those who read back what they wrote.
//
// [FS] is what they need of a file system and [OS] is the system's. Tests put another in its place with [Use]: one in
// memory whose power can be cut, or one whose N-th operation fails (package disktest). The functions of this package are
// those of the file system in use.
package disk
