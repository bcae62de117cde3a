// Package e2e runs the built programs as a user does. It has tests only, which
// need bin/ to be built: scripts/test does both.
package e2e
