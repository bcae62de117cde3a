package pth

import (
	"math"
	"strconv"

	"github.com/wangkuiyi/gotorch/weights"
)

// pickler writes the pickle of a plain dict of names to tensors, opcode by opcode as Python does.
type pickler struct {
	b    []byte
	memo map[any]byte // strings and globals that come again
}

// pickle gives data.pkl: the tensors' storages are numbered in d's order.
func pickle(d *weights.Dict) []byte {
	p := &pickler{memo: make(map[any]byte)}
	p.op(opProto, 2, opEmptyDict)
	const batch = 1000 // as Python
	i, n := 0, d.Len()
	for name, t := range d.All() {
		if i%batch == 0 {
			p.op(opMark)
		}
		p.str(name)
		p.tensor(i, t)
		if i++; i%batch == 0 || i == n {
			p.op(opSetItems)
		}
	}
	p.op(opStop)
	return p.b
}

func (p *pickler) op(b ...byte) { p.b = append(p.b, b...) }

// tensor writes _rebuild_tensor_v2(storage, 0, size, stride, False, OrderedDict()).
func (p *pickler) tensor(i int, t *weights.Tensor) {
	p.global(rebuildTensor)
	p.op(opMark)

	p.op(opMark)
	p.shared("storage", func() { p.str("storage") })
	p.global(storageOf + global(t.DType))
	p.str(strconv.Itoa(i))
	p.shared("cpu", func() { p.str("cpu") })
	p.integer(t.Numel())
	p.op(opTuple, opBinPersID)

	p.integer(0)
	p.integers(t.Shape)
	p.integers(strides(t.Shape))
	p.op(opNewFalse)
	p.global(orderedDict)
	p.op(opEmptyTuple, opReduce)

	p.op(opTuple, opReduce)
}

// strides gives those of a contiguous tensor; a size of 0 counts as 1, as in PyTorch.
func strides(shape []int64) []int64 {
	out := make([]int64, len(shape))
	step := int64(1)
	for i := len(shape) - 1; i >= 0; i-- {
		out[i] = step
		step *= max(shape[i], 1)
	}
	return out
}

// shared writes something once and refers to it later. There are fewer than 256 such things.
func (p *pickler) shared(key any, write func()) {
	if at, ok := p.memo[key]; ok {
		p.op(opBinGet, at)
		return
	}
	write()
	at := byte(len(p.memo))
	p.memo[key] = at
	p.op(opBinPut, at)
}

func (p *pickler) global(g global) {
	p.shared(g, func() {
		module, name := split(g.String())
		p.op(opGlobal)
		p.b = append(p.b, module+"\n"+name+"\n"...)
	})
}

// split cuts a global's name at its last dot.
func split(name string) (module, last string) {
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '.' {
			return name[:i], name[i+1:]
		}
	}
	return "", name
}

func (p *pickler) str(s string) {
	p.op(opBinUnicode)
	p.b = le.AppendUint32(p.b, uint32(len(s)))
	p.b = append(p.b, s...)
}

func (p *pickler) integers(v []int64) {
	switch len(v) {
	case 0:
		p.op(opEmptyTuple)
	case 1, 2, 3:
		for _, n := range v {
			p.integer(n)
		}
		p.op(opTuple1 + byte(len(v)-1))
	default:
		p.op(opMark)
		for _, n := range v {
			p.integer(n)
		}
		p.op(opTuple)
	}
}

// integer writes a number that is not negative.
func (p *pickler) integer(n int64) {
	switch {
	case n <= math.MaxUint8:
		p.op(opBinInt1, byte(n))
	case n <= math.MaxUint16:
		p.op(opBinInt2)
		p.b = le.AppendUint16(p.b, uint16(n))
	case n <= math.MaxInt32:
		p.op(opBinInt)
		p.b = le.AppendUint32(p.b, uint32(n))
	default:
		b := le.AppendUint64(nil, uint64(n))
		for len(b) > 1 && b[len(b)-1] == 0 && b[len(b)-2] < 0x80 { // the shortest two's complement
			b = b[:len(b)-1]
		}
		p.op(opLong1, byte(len(b)))
		p.op(b...)
	}
}
