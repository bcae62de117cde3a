package trainer

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"flowmatch/models"
)

// The number of tensors is the same after every step, and memory does not
// grow. scripts/soak runs it for 2,000 steps, at digits' own size.
func TestSoak(t *testing.T) {
	steps, n, batch := 300, small(), 8
	if s := os.Getenv("FLOWMATCH_SOAK"); s != "" {
		steps, _ = strconv.Atoi(s)
		n, batch = models.UNetConfig{Channels: 1, Size: 8, NumChannels: 32, AttentionResolutions: []int{4}, NumClasses: 10}, 64
	}
	if testing.Short() {
		steps = 30
	}
	c := config(steps)
	c.BatchSize = batch
	r := newRun(t, c, n.Defaults(), t.TempDir())
	r.Interval = time.Nanosecond
	var live, early, late int64
	r.Observers = []Observer{Watch(func(p Look) {
		if p.Step == 2 {
			// What building the network left to the garbage collector goes now.
			for range 3 {
				runtime.GC()
				time.Sleep(20 * time.Millisecond)
			}
		}
		now := torch.Stats().Live
		if p.Step == 2 {
			live = now
		}
		if p.Step > 2 && now != live {
			t.Fatalf("step %d: %d tensors, %d before", p.Step, now, live)
		}
		if p.Step == steps/10 {
			early = resident(t)
		}
		late = resident(t)
	})}
	if _, err := r.Train(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d tensors; %.1f MB after step %d, %.1f MB after step %d", live, float64(early)/(1<<20), steps/10, float64(late)/(1<<20), steps)
	if os.Getenv("FLOWMATCH_SOAK") != "" && float64(late) > 1.02*float64(early) {
		t.Errorf("memory grew by %.1f %%", 100*(float64(late)/float64(early)-1))
	}
}

func resident(t *testing.T) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var total, pages int64
	if _, err := fmt.Sscan(string(b), &total, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
