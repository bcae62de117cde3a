// Package faulttest is for the tests of faults, which lie in files fault<number>_*_test.go: how many cases they try, a few
// in go test and as many as there is time for under scripts/faults, which sums them up; and what of memory and time a file
// from a stranger may cost.
package faulttest

import (
	"fmt"
	"iter"
	"os"
	"strconv"
	"testing"
	"time"
)

// What scripts/faults sets: how long a test may take, the case to begin with, and the file for its numbers.
const (
	secondsVar = "FLOWMATCH_FAULTS_SECONDS"
	fromVar    = "FLOWMATCH_FAULTS_FROM"
	outVar     = "FLOWMATCH_FAULTS_OUT"
)

// Long tells whether scripts/faults runs the test.
func Long() bool { return os.Getenv(secondsVar) != "" }

// Cases gives the numbers of the cases of a fault that are to be tried: those below quick, or under scripts/faults those
// from where the runs before ended, until the time is over. Each is reported that was tried to its end. The fault is
// named as in scripts/faults.d/table.md.
func Cases(t testing.TB, fault string, quick int) iter.Seq[int] {
	return func(yield func(int) bool) {
		tried := 0
		defer func() { Report(t, fault, tried) }()
		first, last, until := 0, quick, time.Time{}
		if Long() {
			seconds, err := strconv.ParseFloat(os.Getenv(secondsVar), 64)
			if err != nil {
				t.Fatalf("%s: %v", secondsVar, err)
			}
			until = time.Now().Add(time.Duration(seconds * float64(time.Second)))
			first, _ = strconv.Atoi(os.Getenv(fromVar)) // 0 where there is none
			last = int(^uint(0) >> 1)
		}
		for i := first; i < last && (until.IsZero() || time.Now().Before(until)) && !t.Failed(); i++ {
			if !yield(i) {
				return
			}
			tried++
		}
	}
}

// Report counts cases of a fault that were tried and held.
func Report(t testing.TB, fault string, n int) {
	t.Helper()
	t.Logf("fault %s: %d cases", fault, n)
	path := os.Getenv(outVar)
	if path == "" || t.Failed() {
		return
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(f, "%s\t%d\n", fault, n); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// Lengths are 512 lengths below size, the first of them 0 and evenly apart, to cut a file at.
func Lengths(size int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range 512 {
			if !yield(i * size / 512) {
				return
			}
		}
	}
}
