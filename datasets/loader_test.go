package datasets

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// numbered is a set of n tiny images in which image i is known by its pixels.
func numbered(n int) *Images {
	im := &Images{Info: Info{Name: "numbered", Shape: []int{1, 1, 2}, Levels: 256, ClassNames: tenDigits}}
	for i := range n {
		im.Pixels = append(im.Pixels, uint8(i%256), uint8(i/256))
		im.Labels = append(im.Labels, uint8(i%10))
	}
	return im
}

// deal runs a loader over some steps and copies what it gives.
func deal(t *testing.T, im *Images, cfg LoaderConfig, steps int) []*Batch {
	t.Helper()
	l, err := NewLoader(im, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	out := make([]*Batch, steps)
	for k := range out {
		b, err := l.Next()
		if err != nil {
			t.Fatal(err)
		}
		out[k] = &Batch{Step: b.Step, X: slices.Clone(b.X), Y: slices.Clone(b.Y), Index: slices.Clone(b.Index)}
		b.Release()
	}
	return out
}

func sameBatches(a, b []*Batch) error {
	for k := range a {
		if a[k].Step != b[k].Step || !slices.Equal(a[k].X, b[k].X) || !slices.Equal(a[k].Y, b[k].Y) || !slices.Equal(a[k].Index, b[k].Index) {
			return fmt.Errorf("batch %d differs: step %d %v and step %d %v", k, a[k].Step, a[k].Index, b[k].Step, b[k].Index)
		}
	}
	return nil
}

func TestLoaderGivesTheImagesOfItsIndex(t *testing.T) {
	im := numbered(300)
	for k, b := range deal(t, im, LoaderConfig{BatchSize: 16, Seed: 42}, 40) {
		if b.Step != k || len(b.X) != 32 || len(b.Y) != 16 {
			t.Fatalf("batch %d: step %d, %d values, %d classes", k, b.Step, len(b.X), len(b.Y))
		}
		for j, i := range b.Index {
			want := []float32{2*float32(i%256)/255 - 1, 2*float32(i/256)/255 - 1}
			for c := range 2 {
				if d := b.X[2*j+c] - want[c]; d < -1e-6 || d > 1e-6 { // float32 rounding of the oracle
					t.Errorf("image %d is %v, want %v", i, b.X[2*j:2*j+2], want)
				}
			}
			if b.Y[j] != int64(i%10) {
				t.Errorf("image %d has class %d", i, b.Y[j])
			}
		}
	}
}

func TestLoaderVisitsEachImageOnceAnEpoch(t *testing.T) {
	const n, size = 103, 10
	batches := deal(t, numbered(n), LoaderConfig{BatchSize: size, Seed: 1, Workers: 3}, 3*(n/size))
	var orders [][]int32
	for epoch := range 3 {
		var order []int32
		for _, b := range batches[epoch*(n/size) : (epoch+1)*(n/size)] {
			order = append(order, b.Index...)
		}
		sorted := slices.Sorted(slices.Values(order))
		if len(slices.Compact(sorted)) != n/size*size { // all but the dropped rest
			t.Errorf("epoch %d: %d different images of %d", epoch, len(slices.Compact(sorted)), n/size*size)
		}
		if sorted[0] < 0 || sorted[len(sorted)-1] >= n {
			t.Errorf("epoch %d: images from %d to %d", epoch, sorted[0], sorted[len(sorted)-1])
		}
		orders = append(orders, order)
	}
	if slices.Equal(orders[0], orders[1]) || slices.Equal(orders[1], orders[2]) {
		t.Error("two epochs have the same order")
	}
}

func TestLoaderOrderDependsOnSeedAndStepOnly(t *testing.T) {
	im := numbered(57)
	const steps = 30 // five epochs of six batches
	want := deal(t, im, LoaderConfig{BatchSize: 9, Seed: 7, HorizontalFlip: true}, steps)
	for _, cfg := range []LoaderConfig{
		{Workers: 2}, {Workers: 7}, {Workers: 1, Prefetch: 1}, {Workers: 4, Prefetch: 2}, {Workers: 2, Prefetch: 50},
	} {
		cfg.BatchSize, cfg.Seed, cfg.HorizontalFlip = 9, 7, true
		if err := sameBatches(want, deal(t, im, cfg, steps)); err != nil {
			t.Errorf("%d workers, %d buffers: %v", cfg.Workers, cfg.Prefetch, err)
		}
		for _, start := range []int{1, 5, 6, 7, 29} { // within an epoch and at its borders
			cfg.StartStep = start
			if err := sameBatches(want[start:], deal(t, im, cfg, steps-start)); err != nil {
				t.Errorf("%d workers, resumed at %d: %v", cfg.Workers, start, err)
			}
		}
	}
	if sameBatches(want, deal(t, im, LoaderConfig{BatchSize: 9, Seed: 8, HorizontalFlip: true}, steps)) == nil {
		t.Error("another seed gives the same batches")
	}
}

// TestPermutationPinned holds the order still: a run that is resumed with a newer
// program must go on as it began. The numbers are this program's own, of its first
// version.
func TestPermutationPinned(t *testing.T) {
	for _, c := range []struct {
		seed  int64
		epoch int
		want  []int32
	}{
		{42, 0, []int32{3, 1, 9, 7, 8, 4, 2, 6, 5, 0}},
		{42, 1, []int32{4, 3, 8, 0, 9, 5, 2, 1, 6, 7}},
		{-1, 0, []int32{8, 9, 4, 6, 7, 0, 2, 1, 3, 5}},
	} {
		if got := Permutation(10, c.seed, c.epoch); !slices.Equal(got, c.want) {
			t.Errorf("seed %d, epoch %d: %v, want %v", c.seed, c.epoch, got, c.want)
		}
	}
}

// TestPermutationFair counts where image 0 lands. With 6,000 draws over 6 places
// the chi-squared of 5 degrees stays below 20.5 in 99.9 % of seeds; the seed is fixed.
func TestPermutationFair(t *testing.T) {
	var counts [6]float64
	for epoch := range 6000 {
		counts[slices.Index(Permutation(6, 42, epoch), 0)]++
	}
	chi := 0.0
	for _, c := range counts {
		chi += (c - 1000) * (c - 1000) / 1000
	}
	if chi > 20.5 {
		t.Errorf("places of image 0: %v, chi-squared %.1f", counts, chi)
	}
}

func TestHorizontalFlip(t *testing.T) {
	im := &Images{Info: Info{Name: "pairs", Shape: []int{2, 1, 2}, Levels: 256}}
	for range 1000 {
		im.Pixels = append(im.Pixels, 0, 255, 51, 204)
	}
	flipped := 0
	b := deal(t, im, LoaderConfig{BatchSize: 1000, HorizontalFlip: true}, 1)[0]
	if b.Y != nil {
		t.Error("a set without classes has some")
	}
	for x := range slices.Chunk(b.X, 4) {
		if x[0] > x[1] != (x[2] > x[3]) {
			t.Fatalf("one channel is mirrored without the other: %v", x)
		}
		if x[0] > x[1] {
			flipped++
		}
	}
	if flipped < 437 || flipped > 563 { // 500 +- 4 standard deviations
		t.Errorf("%d of 1000 are mirrored", flipped)
	}
}

func TestLoaderWrongUse(t *testing.T) {
	im := numbered(10)
	for _, c := range []struct {
		cfg  LoaderConfig
		want string
	}{
		{LoaderConfig{}, "batch size 0"},
		{LoaderConfig{BatchSize: 11}, "batch size 11 is larger than the set: numbered has 10 images"},
		{LoaderConfig{BatchSize: 2, StartStep: -1}, "start step -1"},
	} {
		if _, err := NewLoader(im, c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one on %s", err, c.want)
		}
	}
	im.Labels[3] = 99
	if _, err := NewLoader(im, LoaderConfig{BatchSize: 2}); err == nil || !strings.Contains(err.Error(), "label 99") {
		t.Errorf("error %v", err)
	}
}

func TestLoaderHeldBatches(t *testing.T) {
	l, err := NewLoader(numbered(10), LoaderConfig{BatchSize: 2, Prefetch: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a, _ := l.Next()
	b, _ := l.Next()
	if _, err := l.Next(); err == nil || !strings.Contains(err.Error(), "release one first") {
		t.Fatalf("error %v", err)
	}
	a.Release()
	a.Release() // harmless
	c, err := l.Next()
	if err != nil || c.Step != 2 || b.Step != 1 {
		t.Errorf("step %d after %d, error %v", c.Step, b.Step, err)
	}
}

func TestLoaderHandsPanicsToTheCaller(t *testing.T) {
	l := newLoader(numbered(10), LoaderConfig{BatchSize: 2, Workers: 2})
	l.broken = func(step int) {
		if step == 3 {
			panic("disk on fire")
		}
	}
	l.start()
	defer l.Close()
	for step := range 6 {
		b, err := l.Next()
		if step == 3 {
			var p *PanicError
			if !errors.As(err, &p) || p.Value != "disk on fire" || len(p.Stack) == 0 {
				t.Errorf("error %v", err)
			}
			continue
		}
		if err != nil || b.Step != step {
			t.Fatalf("step %d: %v", step, err)
		}
		b.Release()
	}
}

func TestLoaderClose(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 20 {
		l, err := NewLoader(numbered(100), LoaderConfig{BatchSize: 2, Workers: 5})
		if err != nil {
			t.Fatal(err)
		}
		b, err := l.Next()
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		l.Close()
		if b.Step != 0 || len(b.Index) != 2 {
			t.Error("Close took a batch from its owner")
		}
		b.Release()
		if _, err := l.Next(); err != ErrClosed {
			t.Errorf("Next after Close: %v", err)
		}
	}
	// Close waits until the workers' functions return; the goroutines themselves end
	// an instant later.
	after := runtime.NumGoroutine()
	for deadline := time.Now().Add(time.Minute); after > before && time.Now().Before(deadline); after = runtime.NumGoroutine() {
		time.Sleep(time.Millisecond)
	}
	if after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
}

func TestLoaderWaited(t *testing.T) {
	const pause = 20 * time.Millisecond
	waited := func() time.Duration {
		l := newLoader(numbered(10), LoaderConfig{BatchSize: 2})
		l.broken = func(int) { time.Sleep(pause) }
		l.start()
		defer l.Close()
		b, err := l.Next()
		if err != nil {
			t.Fatal(err)
		}
		b.Release()
		return l.Waited()
	}
	var w time.Duration
	for range 20 { // the worker begins a moment before, which on a busy machine may be long
		if w = waited(); w >= pause/2 {
			return
		}
	}
	t.Errorf("waited %v for a batch that takes %v", w, pause)
}

func TestLoaderReusesItsMemory(t *testing.T) {
	l, err := NewLoader(numbered(1000), LoaderConfig{BatchSize: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	allocs := testing.AllocsPerRun(200, func() {
		b, err := l.Next()
		if err != nil {
			t.Fatal(err)
		}
		b.Release()
	})
	if allocs > 2 { // a permutation each ten steps, and its place in the map
		t.Errorf("%.1f allocations a batch", allocs)
	}
}

func BenchmarkLoader(b *testing.B) {
	im := &Images{Info: Info{Name: "blank", Shape: []int{1, 28, 28}, Levels: 256}, Pixels: make([]uint8, 60000*784)}
	l, err := NewLoader(im, LoaderConfig{BatchSize: 128})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	for b.Loop() {
		batch, err := l.Next()
		if err != nil {
			b.Fatal(err)
		}
		batch.Release()
	}
}
