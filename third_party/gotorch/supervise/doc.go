// Package supervise makes one line and a status of the crash that a program comes to whose address space is limited
// (ulimit -v, ulimit -d). Importing it is enough; where there is no limit it does nothing.
//
// Where memory is exhausted, libtorch's allocations give an error that a program can tell. Others do not: Go's runtime
// reserves 600 MB before the first line of any program, and throws when it gets no more; so does the start of a thread;
// and libraries use what malloc gave them without a look. No recover catches any of that, and what is printed are
// hundreds of lines. A margin that is kept free, or a lower limit for the collector (debug.SetMemoryLimit), would make such
// an end rarer, and not impossible. So another process looks on:
//
//  1. A constructor runs before Go's runtime starts. If there is a limit it forks. The child goes on and becomes the
//     program; the parent stays in C, needs next to nothing, and waits.
//  2. The child's descriptor 2 is a file in memory, where the runtime and the libraries write their last words.
//     [os.Stderr] is another descriptor, that of the real standard error: a terminal is still one.
//  3. Both are in one process group. What the terminal sends (Ctrl-C, Ctrl-Z, its end) reaches both, and the parent leaves
//     it at that. What somebody sends to the parent alone is passed on; who sends to the whole group is heard twice, as
//     under timeout. When the parent stops, so does the child; when it is killed, the child is too (PR_SET_PDEATHSIG).
//  4. The parent ends as the child did: with its status, by its signal. Only an end for want of memory becomes a line,
//     and status 4. GOTORCH_TRACE=1 shows the last words before it; those of any other end are shown as they are.
//
// As it is there before Go's runtime, it also sees whether there was a standard output ([OutputClosed]).
package supervise
