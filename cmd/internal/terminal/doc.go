// Package terminal shows progress: on a terminal a line that changes, under lines that
// stay; in a log plain lines every few seconds; nothing where it is to be quiet.
//
// The line never wraps: it is cut to the terminal's width, which is asked for each time, so
// that it follows a window that is made narrower. What matters least is left out first.
// There are no colours, and no control sequences where there is no terminal, or one that
// says it is dumb. Where the locale is not UTF-8 the line is ASCII.
package terminal
