package gotorch

import (
	"sync"
	"testing"
)

// An operation costs one allocation of Go's, its cell of 8 bytes; in a scope
// that is a part of a slab for 63 of them.
func TestAllocationsOfAnOperation(t *testing.T) {
	x, y := Ones([]int64{1}, false), Ones([]int64{1}, false)
	for name, f := range map[string]func(){
		"closed at once":        func() { Add(x, y, 1).Close() },
		"left to the collector": func() { Add(x, y, 1) },
	} {
		if n := testing.AllocsPerRun(1000, f); n != 1 {
			t.Errorf("%s: %v allocations, want the cell alone", name, n)
		}
	}
	add := func() { Add(x, y, 1) }
	Scoped(func() {
		add()
		if n := testing.AllocsPerRun(10*slabLen, add); n != 0 { // it rounds down
			t.Errorf("in a scope: %v allocations", n)
		}
	})
}

// The last tensors made outside scopes are held, but not once the collector is
// asked for them.
func TestRecentTensorsAreNotHeld(t *testing.T) {
	before := settled()
	func() {
		for range recentLen / 2 {
			Ones([]int64{1}, false)
		}
	}()
	wantCollected(t, before)
	func() { // and memory that is short asks
		withLimit(64<<20, func() {
			for range recentLen / 2 {
				Empty([]int64{1 << 20}, false) // 4 MiB each: 128 MiB
			}
		})
	}()
	wantCollected(t, before)
}

// Tensors are closed while other goroutines push them out of recent.
func TestCloseWhileFinalizersAreSet(t *testing.T) {
	before := settled()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			var held []Tensor
			for i := range 2000 {
				held = append(held, Ones([]int64{1}, false))
				if i%3 == 0 {
					emptyRecent()
				}
				if len(held) == 5 {
					for _, x := range held[1:] {
						x.Close()
					}
					held = held[:0]
				}
			}
		})
	}
	group.Wait()
	wantCollected(t, before)
}

// Tensors that Keep moved out of all scopes outlive the scope's other ones, by
// way of an inner scope too, and are collected.
func TestKeptTensorsOfManySlabs(t *testing.T) {
	before := settled()
	func() {
		var kept []Tensor
		Scoped(func() {
			for i := range 3 * slabLen {
				if x := Full([]int64{1}, float32(i), false); i%50 == 7 {
					kept = append(kept, Keep(x))
				}
			}
			Scoped(func() {
				lost := Keep(Ones([]int64{1}, false))
				x := Full([]int64{1}, float32(len(kept)*50+7), false)
				kept = append(kept, Keep(x))
				if lost.Dim() != 1 {
					t.Error("the kept tensor has another shape")
				}
			})
			kept[len(kept)-1] = Keep(kept[len(kept)-1])
		})
		for range 3 {
			collect()
		}
		for i, x := range kept {
			if v := x.ItemFloat(); v != float64(i*50+7) {
				t.Errorf("kept tensor %d is %v", i, v)
			}
		}
		if n := live() - before; n != int64(len(kept)) {
			t.Errorf("%d tensors live, %d were kept", n, len(kept))
		}
		kept[0].Close()
	}()
	wantCollected(t, before)
}
