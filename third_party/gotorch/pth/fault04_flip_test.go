package pth_test

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wangkuiyi/gotorch/faulttest"
	"github.com/wangkuiyi/gotorch/pth"
	"github.com/wangkuiyi/gotorch/weights"
)

// checkpoint64K is a file of ours of exactly 64 KiB, of many tensors and with a record.
func checkpoint64K(t *testing.T) []byte {
	t.Helper()
	d := new(weights.Dict)
	for i, name := range []string{"time_embed.0.weight", "input_blocks.0.0.weight", "label_emb.weight", "out.2.bias"} {
		v := make([]float32, []int{10_000, 4_000, 1_500, 100}[i])
		for j := range v {
			v[j] = float32(j%251) / 251
		}
		d.Set(name, weights.FromFloat32(v))
	}
	text := `{"format":1,"made_by":""}`
	missing := 65536 - len(render(t, &weights.File{Tensors: d, Record: []byte(text)}))
	text = strings.Replace(text, `""`, `"`+strings.Repeat("v", missing)+`"`, 1)
	b := render(t, &weights.File{Tensors: d, Record: []byte(text)})
	if len(b) != 65536 {
		t.Fatalf("%d bytes", len(b))
	}
	return b
}

// parallel calls work for every i below n, on all processors; in short mode for a sample of them.
func parallel(n int, work func(i int)) (done int64) {
	step := int64(1)
	if testing.Short() || raceEnabled {
		step = 61 // a prime: every bit and every kind of field has its turn
	}
	var next atomic.Int64
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for i := next.Add(1) - 1; i*step < int64(n); i = next.Add(1) - 1 {
				work(int(i * step))
			}
		})
	}
	group.Wait()
	return (int64(n) + step - 1) / step
}

// flipped is b with one bit changed, without a copy.
type flipped struct {
	b    []byte
	at   int64
	mask byte
}

func (f flipped) ReadAt(p []byte, off int64) (int, error) {
	n := copy(p, f.b[off:])
	if i := f.at - off; i >= 0 && i < int64(n) {
		p[i] ^= f.mask
	}
	return n, nil
}

func TestEveryFlipOfOurs(t *testing.T) {
	b := checkpoint64K(t)
	if _, err := parse(b); err != nil {
		t.Fatal(err)
	}
	var passed atomic.Int64
	n := parallel(8*len(b), func(i int) {
		if _, err := pth.ReadFrom(flipped{b, int64(i / 8), 1 << (i % 8)}, int64(len(b))); err == nil {
			passed.Add(1)
			t.Errorf("bit %d of byte %d flipped, and it was read", i%8, i/8)
		}
	})
	faulttest.Report(t, "4", int(n-passed.Load()))
}

func TestEveryLengthOfOurs(t *testing.T) {
	b := checkpoint64K(t)
	var passed atomic.Int64
	n := parallel(len(b), func(i int) {
		if _, err := parse(b[:i]); err == nil {
			passed.Add(1)
			t.Errorf("cut to %d bytes, and it was read", i)
		}
		if i%61 != 0 {
			return // bytes that were added are all refused by the same line
		}
		if _, err := parse(append(slices.Clone(b), b[:i+1]...)); err == nil {
			t.Errorf("%d bytes added, and it was read", i+1)
		}
	})
	faulttest.Report(t, "4", int(n-passed.Load()))
}

// A file by PyTorch has bytes that mean nothing (times, attributes); but no flip gives other values or names.
func TestEveryFlipOfForeign(t *testing.T) {
	for _, name := range []string{"state_dict.pth", "types.pth", "views.pth", "parameter.pth", "cuda.pth"} {
		b, err := os.ReadFile(fixture(name))
		if err != nil {
			t.Fatal(err)
		}
		want, err := parse(b)
		if err != nil {
			t.Fatal(err)
		}
		var read atomic.Int64
		n := parallel(8*len(b), func(i int) {
			got, err := pth.ReadFrom(flipped{b, int64(i / 8), 1 << (i % 8)}, int64(len(b)))
			if err != nil {
				return
			}
			read.Add(1)
			if err := difference(got.Tensors, want.Tensors); err != nil {
				t.Errorf("%s: bit %d of byte %d flipped: %v", name, i%8, i/8, err)
			}
		})
		t.Logf("%s: %d flips, %d still read, with the same values", name, n, read.Load())
		for i := range b {
			if _, err := parse(b[:i]); err == nil {
				t.Errorf("%s: cut to %d bytes, and it was read", name, i)
			}
		}
	}
}
