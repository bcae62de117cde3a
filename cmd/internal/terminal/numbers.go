package terminal

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"flowmatch/datasets/set"
)

// Duration is d for people: "3 min 20 s".
func Duration(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	switch {
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	}
	return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
}

// Count is n with commas between thousands.
func Count(n int64) string {
	s := strconv.FormatInt(n, 10)
	var parts []string
	for len(s) > 3 {
		parts = append([]string{s[len(s)-3:]}, parts...)
		s = s[:len(s)-3]
	}
	return strings.Join(append([]string{s}, parts...), ",")
}

// Rate is how often in a second: "4.36", "17", "8,574".
func Rate(perSecond float64) string {
	if perSecond >= 10 {
		return Count(int64(math.Round(perSecond)))
	}
	return strconv.FormatFloat(perSecond, 'f', 2, 64)
}

// Counted is a number of things: "1 thread", "1,797 images".
func Counted[N ~int | ~int64](n N, one string) string {
	return Count(int64(n)) + " " + set.Noun(n, one)
}

// Bytes is a size for people: "63 MB".
func Bytes(n int64) string {
	switch {
	case n >= 10e9:
		return fmt.Sprintf("%.0f GB", float64(n)/1e9)
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.0f kB", float64(n)/1e3)
}

// Clock is d in few columns: "3:20", "1:02:03".
func Clock(d time.Duration) string {
	s := int(max(0, d).Round(time.Second).Seconds())
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}
