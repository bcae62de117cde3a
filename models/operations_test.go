package models

import (
	"testing"

	torch "github.com/wangkuiyi/gotorch"
)

// TestOperationsOfAUNet counts the tensors that Go is given for one evaluation
// of the digits' network: a residual block has its normalisations, their SiLUs
// and the addition of the embedding as two operations, not six; the first of them
// has two results, of which the way around the block is one that costs nothing. The
// number may fall; a rise is work that was not there.
func TestOperationsOfAUNet(t *testing.T) {
	const most = 187
	u, err := NewUNet(UNetConfig{Channels: 1, Size: 8, NumChannels: 32, AttentionResolutions: []int{4}, NumClasses: 10})
	if err != nil {
		t.Fatal(err)
	}
	torch.Scoped(func() {
		x, at, y := torch.Zeros([]int64{2, 1, 8, 8}, torch.Options{}), torch.Zeros([]int64{2}, torch.Options{}), torch.FromSlice([]int64{1, 2}, 2)
		before := torch.Stats().Made
		u.Velocity(x, at, y)
		if made := torch.Stats().Made - before; made > most {
			t.Errorf("%d operations, at most %d were there before", made, most)
		} else {
			t.Logf("%d operations", made)
		}
	})
}

// A DiT's block is its four layers, attention, two normalisations with what they are given, and views.
func TestOperationsOfADiT(t *testing.T) {
	const most = 63
	d, err := NewDiT(DiTConfig{Channels: 1, Size: 8, Depth: 2, Width: 32, NumHeads: 2, NumClasses: 10})
	if err != nil {
		t.Fatal(err)
	}
	torch.Scoped(func() {
		x, at, y := torch.Zeros([]int64{2, 1, 8, 8}, torch.Options{}), torch.Zeros([]int64{2}, torch.Options{}), torch.FromSlice([]int64{1, 2}, 2)
		before := torch.Stats().Made
		d.Velocity(x, at, y)
		if made := torch.Stats().Made - before; made > most {
			t.Errorf("%d operations, at most %d were there before", made, most)
		} else {
			t.Logf("%d operations", made)
		}
	})
}
