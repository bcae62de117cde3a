package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"flowmatch/datasets"
	"flowmatch/flow"
	"flowmatch/trainer"
)

// Errors of libraries get the flags that help, where they stand, whatever is around them.
func TestText(t *testing.T) {
	none := t.TempDir()
	_, mnist := datasets.MNIST(none, datasets.Train)
	for want, err := range map[string]error{
		"dopri5: 5 steps reached only t = 0.25: the tolerances ask for too much; try larger --rtol and --atol": fmt.Errorf("dopri5: %w", &flow.StepLimitError{Steps: 5, T: .25}),
		"at t = 0.5 the tolerances ask for a step of 1e-17, less than float64 can count; try larger --rtol and --atol": &flow.StiffError{
			T: .5, Step: 1e-17, Finite: true},
		"the velocity is not finite at t = 0.5": &flow.StiffError{T: .5},
		"the loss or its gradient is not finite since step 3: the run has diverged; try a lower --learning-rate or --grad-clip 1 (kept)": fmt.Errorf(
			"%w (kept)", &trainer.DivergedError{Step: 3}),
		"/x holds a run, but none of its states can be resumed: damaged; --fresh starts anew and keeps the old folder": &trainer.NoStateError{Dir: "/x", Why: "damaged"},
		"cut short; --pairs 30 draws others":                                           &trainer.BorrowedError{Pairs: 30, Err: errors.New("cut short")},
		"gone; put the file back, or start anew with --fresh: --pairs 30 draws others": &trainer.BorrowedError{Pairs: 30, Resumed: true, Err: errors.New("gone")},
		"the run's data: mnist: " + none + "/mnist/train-images-idx3-ubyte: not found; run again with --download, or put train-images-idx3-ubyte and train-labels-idx1-ubyte " +
			"(or the same with .gz) into " + none + "/mnist, or point --data-dir at the folder that holds mnist/": fmt.Errorf("the run's data: %w", mnist),
		"full of --download": errors.New("full of --download"),
	} {
		if got := Text(err); got != want {
			t.Errorf("%q\nwant %q", got, want)
		}
	}
}

// A command's last line has them, and its status stays that of the error.
func TestReportRemedy(t *testing.T) {
	var out strings.Builder
	c := &Command{Name: "train"}
	if status := c.Report(&out, &trainer.DivergedError{Step: 3}); status != Diverged || !strings.HasSuffix(out.String(), "diverged; try a lower --learning-rate or --grad-clip 1\n") {
		t.Errorf("%d: %s", status, out.String())
	}
	if status := c.Report(io.Discard, &datasets.FileError{}); status != Failed {
		t.Errorf("status %d", status)
	}
}

func TestCUDARemedy(t *testing.T) {
	for why, want := range map[string]string{
		"libtorch_cuda.so is not in /x": "libtorch_cuda.so is not in /x; run scripts/setup --cuda",
		"it was switched off":           "it was switched off",
		"":                              "",
	} {
		if got := WithCUDARemedy(why); got != want {
			t.Errorf("%q: %q", why, got)
		}
	}
}
