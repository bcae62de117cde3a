package gotorch

// #include "cgotorch/shim.h"
import "C"

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// OperationProfile is what Profile saw of an operation.
type OperationProfile struct {
	Name  string // "aten::mm", "gotorch::group_norm"; of a gradient the node's, "MmBackward0"
	Calls int
	Time  time.Duration // of all calls, without the operations that they call
}

// Profile runs f and lists the operations that ran meanwhile, on whatever thread,
// those with the longest time first. One profile is made at a time.
func Profile(f func()) (all []OperationProfile) {
	const op = "Profile"
	attend()
	check(op, C.c_gt_profile_start().err)
	defer func() {
		for line := range strings.Lines(takeString(op, C.c_gt_profile_stop())) {
			calls, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
			ns, name, _ := strings.Cut(rest, " ")
			n, _ := strconv.Atoi(calls)
			t, _ := strconv.ParseInt(ns, 10, 64)
			all = append(all, OperationProfile{name, n, time.Duration(t)})
		}
		slices.SortStableFunc(all, func(a, b OperationProfile) int { return cmp.Compare(b.Time, a.Time) })
	}()
	f()
	return nil
}
