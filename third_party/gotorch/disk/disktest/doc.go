// Package disktest has file systems that are put in the system's place with [disk.Use] in order to break things.
//
// [Memory] lies in memory and knows what of it is on the disk. [Memory.Crash] is what a power cut may leave:
//
//  1. Of the operations up to the cut, those are certain that were made certain before it: a file's writes by its fsync,
//     a folder's names by the folder's. No other order is promised, of names least of all.
//  2. Of the others any set is there and the rest not; a write may be there in part, in sectors of 512 bytes, and what is
//     not there of it are zeros or what was on the disk before.
//  3. A rename is there at once or not at all.
//
// Memory may also be small, as a full disk is, have no links, and write wrongly without a word.
//
// [Failing] is another file system whose N-th operation fails, alone or with all that come after.
package disktest
