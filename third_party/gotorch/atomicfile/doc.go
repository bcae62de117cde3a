// Package atomicfile writes files so that after a crash, a full disk or a power cut there is either the old content
// under the name or the new one, never a mixture.
//
//  1. A temporary file is created beside the target: hidden, new (O_EXCL), with the mode that the umask leaves of 0666.
//  2. The content is written to it, then fsync, then close.
//  3. It is renamed to the target, which the system does at once or not at all.
//  4. The folder is fsynced, so that the new name is on the disk too. It was opened before step 1, so that only this
//     last call can fail once the name has changed. A file system without that operation makes no such promise.
//
// If anything fails in steps 1 to 3, a panic included, the temporary is removed and the target is what it was. If step
// 4 fails, the target is the complete new file, but the disk may still have the old name: that is an error too. An
// fsync that failed is never tried again: the system may have dropped the data and call the second one a success.
//
// A process that is killed leaves its temporary behind; [Sweep] and [SweepFolder] remove such files. A writer locks its
// temporary (flock), and what is locked is left alone. One that is about to exit in the midst of a write can [Abandon].
//
// Symbolic links are followed, to the file that they name even if it is not there yet, and the temporary is made beside
// that. What is no regular file is never replaced: pipes, terminals and other character devices, and the process's own
// descriptors (/dev/stdout, /dev/fd/3) are written to as they are, without a promise; disks and sockets are refused. So it
// is where a user names the file; [Replace], for a program's own files, refuses all of them.
//
// Package disk stands between this package and the system, so that tests can fail any operation or cut the power.
package atomicfile
