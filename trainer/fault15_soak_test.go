package trainer

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/faulttest"

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

// A run of points with many saves, in which all that it may not collect is counted: memory, once the collector has run,
// threads, open files and tensors. Under scripts/faults it has 100,000 steps and 1,000 saves, which take minutes.
func TestLongRun(t *testing.T) {
	steps := 2000
	if faulttest.Long() {
		steps = 100_000
	}
	if testing.Short() {
		steps = 500
	}
	r := planeRun(t, config(steps), t.TempDir())
	r.CheckpointEvery, r.Interval = 100, time.Nanosecond
	type held struct {
		step, threads, files int
		memory, tensors      int64
	}
	var seen []held
	r.Observers = []Observer{Watch(func(l Look) {
		if l.Step%(steps/10) != 0 {
			return
		}
		debug.FreeOSMemory()
		seen = append(seen, held{l.Step, threads(t), openFiles(t), resident(t), torch.Stats().Live})
	})}
	if _, err := r.Train(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 10 {
		t.Fatalf("looked %d times", len(seen))
	}
	early, late := seen[1], seen[9]
	perTenThousand := float64(late.memory-early.memory) / float64(late.step-early.step) * 10_000
	t.Logf("%+v, then %+v: memory %+.0f KiB in 10,000 steps", early, late, perTenThousand/1024)
	if faulttest.Long() && perTenThousand > 1<<20 {
		t.Errorf("memory grew by %.0f bytes in 10,000 steps", perTenThousand)
	}
	if late.files != early.files || late.tensors != early.tensors || late.threads > early.threads+2 { // Go may have waited for two more
		t.Errorf("there were %+v, then %+v", early, late)
	}
	faulttest.Report(t, "15", steps)
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func threads(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
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
