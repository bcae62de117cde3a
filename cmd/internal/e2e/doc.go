// Package e2e runs the commands as a user does: in this process, or as built programs where
// their start, their end or their environment is tested. It has tests only, which need bin/ to
// be built: scripts/test does both.
package e2e
