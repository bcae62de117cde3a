//go:build !race

package pth_test

const raceEnabled = false
