package pth

import (
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/wangkuiyi/gotorch/weights"
)

// machine runs a pickle. It builds plain values and calls nothing.
type machine struct {
	limits
	p        []byte
	pos      int
	stack    []any
	marks    []int // heights of the stack at the open MARKs
	memo     []any // unset{} where nothing was put
	open     func(key string, dtype weights.DType, numel int64) (*storage, error)
	storages map[string]*storage
	tensors  []view // to be filled once the storages are read
}

// unset is in the memo where nothing was put: nil is None.
type unset struct{}

// unpickle gives the one value that p builds.
func (m *machine) unpickle(p []byte) (any, error) {
	m.p = p
	v, err := m.run()
	if err != nil {
		return nil, fmt.Errorf("byte %d of the pickle: %w", m.pos, err)
	}
	return v, newWalk(&m.limits).check(v)
}

func (m *machine) run() (any, error) {
	if len(m.p) < 2 || m.p[0] != opProto {
		return nil, refused("the pickle does not begin with its protocol, as protocol 2 does")
	}
	if m.p[1] != 2 {
		return nil, refused("pickle protocol %d; save it again with torch.save's own, 2", m.p[1])
	}
	m.pos = 2
	for m.pos < len(m.p) {
		op := m.p[m.pos]
		if op == opStop {
			if m.pos+1 != len(m.p) {
				return nil, refused("%d bytes after STOP", len(m.p)-m.pos-1)
			}
			if len(m.stack) != 1 || len(m.marks) != 0 {
				return nil, refused("%d values and %d marks at STOP, not one value", len(m.stack), len(m.marks))
			}
			return m.stack[0], nil
		}
		m.pos++
		if err := m.step(op); err != nil {
			return nil, err
		}
	}
	return nil, damaged("the pickle has no STOP")
}

func (m *machine) step(op byte) error {
	switch op {
	case opMark:
		if len(m.marks)+len(m.stack) >= m.MaxValues {
			return overLimit("more than %d values on the stack", m.MaxValues)
		}
		var err error
		if m.marks, err = grow(m, m.marks, 1, 8); err == nil {
			m.marks = append(m.marks, len(m.stack))
		}
		return err
	case opNone:
		return m.push(nil, 0)
	case opNewTrue:
		return m.push(true, 0)
	case opNewFalse:
		return m.push(false, 0)
	case opBinInt, opBinInt1, opBinInt2, opLong1:
		v, err := m.integer(op)
		if err != nil {
			return err
		}
		return m.push(v, 8)
	case opBinFloat:
		b, err := m.next(8)
		if err != nil {
			return err
		}
		return m.push(math.Float64frombits(be.Uint64(b)), 8)
	case opBinUnicode:
		return m.unicode()
	case opEmptyTuple:
		return m.push(Tuple{}, 24)
	case opTuple1, opTuple2, opTuple3:
		return m.tuple(int(op-opTuple1) + 1)
	case opTuple:
		items, err := m.popMark()
		if err != nil {
			return err
		}
		return m.pushTuple(items)
	case opEmptyList:
		return m.push(new(List), 24)
	case opAppend, opAppends:
		return m.appendItems(op)
	case opEmptyDict:
		return m.push(new(Map), 64)
	case opSetItem, opSetItems:
		return m.setItems(op)
	case opBinPut, opLongBinPut, opBinGet, opLongBinGet:
		return m.remember(op)
	case opGlobal:
		return m.global()
	case opReduce:
		return m.reduce()
	case opBuild:
		return m.build()
	case opBinPersID:
		return m.persistentID()
	case opProto:
		return refused("a second PROTO")
	}
	return refused("the opcode %s", opcodeName(op))
}

// next takes n bytes of arguments.
func (m *machine) next(n int) ([]byte, error) {
	if n > len(m.p)-m.pos {
		return nil, damaged("the pickle ends inside an opcode")
	}
	b := m.p[m.pos : m.pos+n]
	m.pos += n
	return b, nil
}

func (m *machine) push(v any, cost int64) error {
	if len(m.stack)+len(m.marks) >= m.MaxValues {
		return overLimit("more than %d values on the stack", m.MaxValues)
	}
	if err := m.charge(cost); err != nil {
		return err
	}
	var err error
	if m.stack, err = grow(m, m.stack, 1, 16); err == nil {
		m.stack = append(m.stack, v)
	}
	return err
}

// grow makes room for n more elements of the given size, by doubling, and charges for it.
func grow[T any](m *machine, s []T, n, size int) ([]T, error) {
	if len(s)+n <= cap(s) {
		return s, nil
	}
	more := max(64, cap(s), n)
	if err := m.charge(int64(size) * int64(len(s)+more)); err != nil {
		return s, err
	}
	return slices.Grow(s, more), nil
}

// pop takes the top value, which must be above the last mark.
func (m *machine) pop() (any, error) {
	if len(m.stack) == 0 || len(m.marks) > 0 && len(m.stack) == m.marks[len(m.marks)-1] {
		return nil, refused("the stack is empty (or at a mark) where a value is needed")
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return v, nil
}

// popMark takes all values above the last mark, and the mark. They stay valid until the next push.
func (m *machine) popMark() ([]any, error) {
	if len(m.marks) == 0 {
		return nil, refused("no mark where one is needed")
	}
	at := m.marks[len(m.marks)-1]
	m.marks = m.marks[:len(m.marks)-1]
	items := m.stack[at:]
	m.stack = m.stack[:at]
	return items, nil
}

func (m *machine) integer(op byte) (int64, error) {
	n := 1
	switch op {
	case opBinInt:
		n = 4
	case opBinInt2:
		n = 2
	}
	b, err := m.next(n)
	if err != nil {
		return 0, err
	}
	switch op {
	case opBinInt:
		return int64(int32(le.Uint32(b))), nil
	case opBinInt1:
		return int64(b[0]), nil
	case opBinInt2:
		return int64(le.Uint16(b)), nil
	}
	if b[0] > 8 {
		return 0, refused("an integer of %d bytes, at most 8", b[0])
	}
	if b, err = m.next(int(b[0])); err != nil || len(b) == 0 {
		return 0, err
	}
	var wide [8]byte
	if b[len(b)-1] >= 0x80 { // two's complement: extend the sign
		wide = [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	}
	copy(wide[:], b)
	return int64(le.Uint64(wide[:])), nil
}

func (m *machine) unicode() error {
	b, err := m.next(4)
	if err != nil {
		return err
	}
	n := le.Uint32(b)
	if n > uint32(m.MaxString) {
		return overLimit("a string of %d bytes, at most %d", n, m.MaxString)
	}
	if b, err = m.next(int(n)); err != nil {
		return err
	}
	if !utf8.Valid(b) {
		return refused("a string that is not UTF-8")
	}
	return m.push(string(b), int64(n)+16)
}

func (m *machine) tuple(n int) error {
	items := make([]any, n)
	for i := n - 1; i >= 0; i-- {
		v, err := m.pop()
		if err != nil {
			return err
		}
		items[i] = v
	}
	return m.pushTuple(items)
}

func (m *machine) pushTuple(items []any) error {
	if err := m.charge(16 * int64(len(items))); err != nil {
		return err
	}
	return m.push(append(make(Tuple, 0, len(items)), items...), 24)
}

func (m *machine) appendItems(op byte) error {
	var items []any
	if op == opAppends {
		var err error
		if items, err = m.popMark(); err != nil {
			return err
		}
	} else {
		v, err := m.pop()
		if err != nil {
			return err
		}
		items = []any{v}
	}
	target, err := m.pop()
	if err != nil {
		return err
	}
	list, ok := target.(*List)
	if !ok {
		return refused("%s to %s, not a list", map[byte]string{opAppend: "APPEND", opAppends: "APPENDS"}[op], kind(target))
	}
	if list.Items, err = grow(m, list.Items, len(items), 16); err != nil {
		return err
	}
	list.Items = append(list.Items, items...)
	return m.push(list, 0)
}

func (m *machine) setItems(op byte) error {
	var items []any
	if op == opSetItems {
		var err error
		if items, err = m.popMark(); err != nil {
			return err
		}
		if len(items)%2 != 0 {
			return refused("SETITEMS with a key without a value")
		}
	} else {
		v, err := m.pop()
		if err != nil {
			return err
		}
		k, err := m.pop()
		if err != nil {
			return err
		}
		items = []any{k, v}
	}
	target, err := m.pop()
	if err != nil {
		return err
	}
	dict, ok := target.(*Map)
	if !ok {
		return refused("SETITEMS on %s, not a dict", kind(target))
	}
	if err := m.charge(100 * int64(len(items)/2)); err != nil {
		return err
	}
	dict.grow(len(items) / 2)
	for i := 0; i < len(items); i += 2 {
		switch items[i].(type) {
		case string, int64:
		default:
			return refused("%s as a dict's key; str and int are read", kind(items[i]))
		}
		if _, twice := dict.index[items[i]]; twice {
			return refused("the dict key %.80q twice", fmt.Sprint(items[i]))
		}
		dict.add(items[i], items[i+1])
	}
	return m.push(dict, 0)
}

// remember writes or reads the memo.
func (m *machine) remember(op byte) error {
	n := 1
	if op == opLongBinPut || op == opLongBinGet {
		n = 4
	}
	b, err := m.next(n)
	if err != nil {
		return err
	}
	i := int64(b[0])
	if n == 4 {
		i = int64(le.Uint32(b))
	}
	if op == opBinGet || op == opLongBinGet {
		if i >= int64(len(m.memo)) || m.memo[i] == any(unset{}) {
			return refused("memo %d is read before it is written", i)
		}
		return m.push(m.memo[i], 0)
	}
	if i >= int64(m.MaxValues) {
		return overLimit("memo %d, at most %d", i, m.MaxValues)
	}
	v, err := m.pop()
	if err != nil {
		return err
	}
	if missing := int(i) + 1 - len(m.memo); missing > 0 {
		if m.memo, err = grow(m, m.memo, missing, 16); err != nil {
			return err
		}
		for range missing {
			m.memo = append(m.memo, unset{})
		}
	}
	m.memo[i] = v
	return m.push(v, 0)
}
