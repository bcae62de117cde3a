// Package terminal shows progress: a bar on a terminal, plain lines every few
// seconds elsewhere, nothing where it is to be quiet.
package terminal
