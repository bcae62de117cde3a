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
			"train: out of memory: Conv2d failed: 128 samples do not go through the network together, 40 do; try --batch-size 40, with --accumulate 4 for steps of as many samples\n"},
		{&trainer.MemoryError{Err: lack, Batch: 128, None: true},
			"train: out of memory: Conv2d failed: not even one sample goes through the network; try a smaller network (--num-channels, --num-res-blocks), smaller pictures, or --device cpu\n"},
		{&trainer.MemoryError{Err: lack, Batch: 128},
			"train: out of memory: Conv2d: CUDA out of memory. Tried to allocate 2.00 GiB.; try a smaller --batch-size\n"},
		{fmt.Errorf("sampling: %w", lack),
			"train: out of memory: sampling: Conv2d: CUDA out of memory. Tried to allocate 2.00 GiB.; try a smaller --batch-size\n"},
		{errors.Join(&trainer.MemoryError{Err: lack, Batch: 8, Fits: 4}, errors.New("disk full")),
			"train: out of memory: Conv2d failed: 8 samples do not go through the network together, 4 do; disk full; try --batch-size 4, with --accumulate 2 for steps of as many samples\n"},
		{fmt.Errorf("libtorch cannot be opened: %w", &torch.Error{Op: torch.Opening, Msg: "libc10.so: cannot allocate memory", OutOfMemory: true}),
			"train: out of memory: libtorch cannot be opened: dlopen: libc10.so: cannot allocate memory; end other programs\n"},
	} {
		var out strings.Builder
		if status := (&Command{Name: "train"}).Report(&out, c.err); status != OutOfMemory || out.String() != c.want {
			t.Errorf("status %d, %q, want %q", status, out.String(), c.want)
		}
	}
}
