package cli

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/trainer"
)

// Who runs out of memory is told what fits, and by which flag.
func TestReportOutOfMemory(t *testing.T) {
	lack := &torch.Error{Op: "Conv2d", Msg: "CUDA out of memory. Tried to allocate 2.00 GiB.", OutOfMemory: true}
	for _, c := range []struct {
		err  error
		want string
	}{
		{&trainer.MemoryError{Err: lack, Batch: 128, Fits: 40},
			"train: out of memory: 128 samples do not go through the network together, 40 do; try --batch-size 40, with --accumulate 4 for steps of as many samples\n"},
		{&trainer.MemoryError{Err: lack, Batch: 128, None: true},
			"train: out of memory: not even one sample goes through the network; try a smaller network (--num-channels, --num-res-blocks), smaller pictures, or --device cpu\n"},
		{&trainer.MemoryError{Err: lack, Batch: 128},
			"train: out of memory: CUDA out of memory. Tried to allocate 2.00 GiB.; try a smaller --batch-size\n"},
		{fmt.Errorf("sampling: %w", lack),
			"train: out of memory: sampling: CUDA out of memory. Tried to allocate 2.00 GiB.; try a smaller --batch-size\n"},
		{errors.Join(&trainer.MemoryError{Err: lack, Batch: 8, Fits: 4}, errors.New("disk full")),
			"train: out of memory: 8 samples do not go through the network together, 4 do; disk full; try --batch-size 4, with --accumulate 2 for steps of as many samples\n"},
		{fmt.Errorf("libtorch cannot be opened: %w", &torch.Error{Op: torch.Opening, Msg: "libc10.so: cannot allocate memory", OutOfMemory: true}),
			"train: out of memory: libtorch cannot be opened: libc10.so: cannot allocate memory; end other programs\n"},
		{&trainer.MemoryError{Err: &torch.Error{Op: "RawLinearSilu", Msg: "CPU out of memory: 2.0 GB asked for, 3.1 GB in use", OutOfMemory: true}, Batch: 128},
			"train: out of memory: 2.0 GB asked for, 3.1 GB in use; try a smaller --batch-size\n"},
	} {
		var out strings.Builder
		if status := (&Command{Name: "train"}).Report(&out, c.err); status != OutOfMemory || out.String() != c.want {
			t.Errorf("status %d, %q, want %q", status, out.String(), c.want)
		}
	}
}

// No operation's name is told: it says nothing to who uses the programs.
func TestReportNamesNoOperation(t *testing.T) {
	for _, err := range []error{
		&torch.Error{Op: "RawLinearSilu", Msg: "the tensor has another shape"},
		fmt.Errorf("nll: %w", &torch.Error{Op: "RawConv2d", Msg: "CPU out of memory: 1 GB asked for", OutOfMemory: true}),
		&trainer.MemoryError{Err: &torch.Error{Op: "RawAttention", OutOfMemory: true}, Batch: 8, Fits: 4},
		&trainer.MemoryError{Err: &torch.Error{Op: "Capture", OutOfMemory: true}, Batch: 8, None: true},
	} {
		var out strings.Builder
		(&Command{Name: "train"}).Report(&out, err)
		if strings.Contains(out.String(), "Raw") || strings.Contains(out.String(), "Capture") {
			t.Errorf("%q", out.String())
		}
	}
	t.Setenv("GOTORCH_TRACE", "1")
	if err := (&torch.Error{Op: "RawLinearSilu", Msg: "why"}); err.Error() != "RawLinearSilu: why" {
		t.Errorf("for a report: %v", err)
	}
}
