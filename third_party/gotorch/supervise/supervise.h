#ifndef SUPERVISE_H_
#define SUPERVISE_H_

// The real standard error in a program that is supervised; -1 in any other.
extern int supervise_stderr;

// Not 0 in a program that began without a standard output.
extern int supervise_output_closed;

#endif  // SUPERVISE_H_
