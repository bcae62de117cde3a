package plane

import "math/bits"

// aliasTable draws places with given weights in constant time (Walker 1977, in Vose's
// form of 1991): every slot is shared by two places at most.
type aliasTable []aliasSlot

type aliasSlot struct {
	share      uint32 // of the slot that is its own place's, of 2^32
	own, other uint32
}

// newAliasTable takes the weights of places 0, 1, ...; those of weight 0 get no slot.
func newAliasTable(weights []float32) aliasTable {
	var t aliasTable
	sum := 0.0
	for i, w := range weights {
		if w > 0 {
			t = append(t, aliasSlot{own: uint32(i), other: uint32(i)})
			sum += float64(w)
		}
	}
	filled := make([]float64, len(t)) // how full the slot is, of 1
	var poor, rich []uint32
	for k := range t {
		filled[k] = float64(weights[t[k].own]) / sum * float64(len(t))
		if filled[k] < 1 {
			poor = append(poor, uint32(k))
		} else {
			rich = append(rich, uint32(k))
		}
	}
	for len(poor) > 0 && len(rich) > 0 {
		p, r := poor[len(poor)-1], rich[len(rich)-1]
		poor = poor[:len(poor)-1]
		t[p].share = uint32(filled[p] * (1 << 32))
		t[p].other = t[r].own
		if filled[r] -= 1 - filled[p]; filled[r] < 1 {
			rich = rich[:len(rich)-1]
			poor = append(poor, r)
		}
	}
	return t // those left over are full, and their other place is their own
}

func (t aliasTable) draw(d *draws) uint32 {
	k, rest := bits.Mul64(d.next(), uint64(len(t)))
	s := &t[k]
	if uint32(rest>>32) < s.share {
		return s.own
	}
	return s.other
}
