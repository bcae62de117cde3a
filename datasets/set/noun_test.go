package set

import (
	"fmt"
	"testing"
)

func TestNoun(t *testing.T) {
	for want, got := range map[string]string{
		"0 pictures": fmt.Sprint(0, " ", Noun(0, "picture")),
		"1 picture":  fmt.Sprint(1, " ", Noun(1, "picture")),
		"2 classes":  fmt.Sprint(2, " ", Noun(int64(2), "class")),
		"3 batches":  fmt.Sprint(3, " ", Noun(3, "batch")),
		"2 entries":  fmt.Sprint(2, " ", Noun(2, "entry")),
		"9 ways":     fmt.Sprint(9, " ", Noun(9, "way")),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
