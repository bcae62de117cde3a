#ifndef SUPERVISE_H_
#define SUPERVISE_H_

// The real standard error in a program that is supervised; -1 in any other.
extern int supervise_stderr;

#endif  // SUPERVISE_H_
