package page

import (
	"fmt"
	"testing"

	"flowmatch/trainer"
)

// What went wrong is said on the page as the commands say it, in one line.
func TestPlain(t *testing.T) {
	const want = "a; the loss or its gradient is not finite since step 3: the run has diverged; try a lower --learning-rate or --grad-clip 1"
	err := fmt.Errorf("a\n%w", &trainer.DivergedError{Step: 3})
	if got := plain(err); got != want {
		t.Errorf("%q", got)
	}
}
