// Package faults has tests alone: what the programs make of it when they are killed, and
// when they are stopped by signals.
package faults
