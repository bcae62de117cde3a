package trainer

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/disk"
	"github.com/wangkuiyi/gotorch/disk/disktest"
	"github.com/wangkuiyi/gotorch/faulttest"

	"flowmatch/datasets"
	"flowmatch/datasets/plane"
	"flowmatch/models"
)

// Each kind of network in each precision, on one core and on two, which take a part of
// the batch each: stopped in the middle of an epoch, by a step that was named and by a
// signal, a run comes to the state, the weights and the losses of one that was not
// stopped, to the bit. Every session has a new network, and numbers were drawn in its
// process before.
func TestExactOfEachKind(t *testing.T) {
	defer torch.SetNumThreads(int32(torch.NumThreads()))
	few := fewDigits(t, 83) // an epoch has 5 batches of 16
	moons, err := plane.Open("moons")
	if err != nil {
		t.Fatal(err)
	}
	dit := func(c models.DiTConfig) models.DiTConfig {
		c.Channels, c.Size, c.NumClasses, c.NullClass = 1, 8, 10, true
		return c.Defaults()
	}
	unet := small()
	unet.NullClass = true
	plain := small()
	plain.NumClasses, plain.ChannelMult, plain.AttentionResolutions = 0, []int{1}, []int{}
	tried := 0
	for _, kind := range []struct {
		name    string
		network models.Config
		set     datasets.Set
		change  func(*Config)
	}{
		{"UNet", unet, few, func(c *Config) { c.ClassDropout, c.Accumulate = 0.3, 2 }},
		{"UNet without classes, attention and average", plain, few.Unlabelled(), func(c *Config) { c.EMADecay, c.GradClip, c.HorizontalFlip = 0, 0, true }},
		{"DiT", dit(models.DiTConfig{Depth: 2, Width: 24, NumHeads: 2}), few, func(c *Config) { c.ClassDropout = 0.3 }},
		{"DiT of large patches", dit(models.DiTConfig{Depth: 1, Width: 32, NumHeads: 1, PatchSize: 4}), few, func(c *Config) { c.ClassDropout, c.Accumulate = 0.3, 2 }},
		{"points", models.MLPConfig{HiddenDim: 32}.Defaults(), moons, func(c *Config) { c.StableTargets, c.StratifiedTimes = true, true }},
		{"points, accumulated", models.MLPConfig{HiddenDim: 16}.Defaults(), moons, func(c *Config) { c.Accumulate, c.BatchSize = 3, 7 }},
	} {
		for _, precision := range []string{"fp32", "bf16"} {
			for _, threads := range []int{1, 2} {
				name := fmt.Sprintf("%s, %s, threads %d", kind.name, precision, threads)
				c := config(5)
				c.BatchSize, c.Precision, c.Warmup = 16, precision, 2
				kind.change(&c)
				torch.SetNumThreads(int32(threads))
				m := disktest.NewMemory("/once", "/stopped")
				restore := disk.Use(m)
				tried++
				session := func(dir string, steps int, from *State) *Run {
					torch.ManualSeed(7) // the same first weights
					n, err := kind.network.Build()
					if err != nil {
						t.Fatal(err)
					}
					torch.ManualSeed(int64(tried + steps)) // on which nothing may depend
					return &Run{Config: c, Network: n, Device: torch.CPU, Open: Data(kind.set), MaxSteps: steps, Folder: &Folder{Dir: dir, Keep: 9}}
				}
				newest := func(steps int) *State {
					s, _, _, err := Newest("/stopped")
					if err != nil || s.Step() != steps {
						t.Fatalf("%s: stopped before step %d, %v", name, steps, err)
					}
					return s
				}
				if _, err := session("/once", 0, nil).Train(context.Background(), nil); err != nil {
					t.Fatal(err)
				}
				if _, err := session("/stopped", 1, nil).Train(context.Background(), nil); err != nil {
					t.Fatal(err)
				}
				ctx, signal := context.WithCancel(context.Background())
				r := session("/stopped", 0, nil)
				r.Interval = time.Nanosecond
				r.Observers = []Observer{Watch(func(l Look) {
					if l.Step == 3 {
						signal()
					}
				})}
				var stop *InterruptedError
				if _, err := r.Train(ctx, newest(1)); !errors.As(err, &stop) {
					t.Fatalf("%s: %v", name, err)
				}
				if threads == 2 { // what promises this of a GPU changes nothing of a processor
					torch.UseDeterministicAlgorithms(true)
				}
				_, err := session("/stopped", 0, nil).Train(context.Background(), newest(3))
				torch.UseDeterministicAlgorithms(false)
				if err != nil {
					t.Fatal(err)
				}
				sameRuns(t, m, name, "/once", "/stopped")
				restore()
			}
		}
	}
	faulttest.Report(t, "6", tried)
}
