package disktest

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// effect is an operation's effect on the disk.
type effect struct {
	kind   kind
	at     int // the file, or the folder
	offset int // of a write; the size that a file is cut to
	data   []byte
	name   string
	node   int
	folder bool // the node is one
	into   int  // the folder of a rename's new name
	to     string
}

type kind int

const (
	written   kind = iota // to a file
	truncated             // a file
	named                 // a node in a folder
	unnamed               // the same, taken away
	renamed
	synced // a file or a folder
)

// do notes an effect and has it.
func (m *Memory) do(e effect) {
	m.journal = append(m.journal, e)
	m.apply(e)
}

// apply has an effect. What it refers to may be missing after a crash.
func (m *Memory) apply(e effect) {
	n := m.nodes[e.at]
	switch e.kind {
	case written:
		m.used -= len(n.data)
		if end := e.offset + len(e.data); end > len(n.data) {
			n.data = append(n.data, make([]byte, end-len(n.data))...)
		}
		copy(n.data[e.offset:], e.data)
		m.used += len(n.data)
	case truncated:
		m.used -= len(n.data)
		n.data = append(n.data[:min(e.offset, len(n.data))], make([]byte, max(0, e.offset-len(n.data)))...)
		m.used += len(n.data)
	case named:
		m.name(e.at, e.name, e.node)
	case unnamed:
		m.unname(e.at, e.name, e.node)
	case renamed:
		m.unname(e.at, e.name, e.node)
		m.name(e.into, e.to, e.node)
	}
}

func (m *Memory) name(dir int, name string, at int) {
	if before, ok := m.nodes[dir].entries[name]; ok {
		m.unname(dir, name, before)
	}
	m.nodes[dir].entries[name] = at
	if m.nodes[at].names++; m.nodes[at].names == 1 {
		m.used += len(m.nodes[at].data)
	}
}

// unname takes a name away if it is that node's. A file without names gives its room back.
func (m *Memory) unname(dir int, name string, at int) {
	if now, ok := m.nodes[dir].entries[name]; !ok || now != at {
		return
	}
	delete(m.nodes[dir].entries, name)
	if m.nodes[at].names--; m.nodes[at].names == 0 {
		m.used -= len(m.nodes[at].data)
	}
}

// Effects is how many effects there were: a crash may come after each.
func (m *Memory) Effects() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.journal)
}

// Used is how many bytes all files have.
func (m *Memory) Used() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.used
}

// Written is how many bytes were written, as [Memory.WrongByte] counts them.
func (m *Memory) Written() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.written
}

func (n *node) clone() *node {
	return &node{data: slices.Clone(n.data), entries: maps.Clone(n.entries), names: n.names}
}

// Clone is a copy of what is there, all of it on the disk.
func (m *Memory) Clone() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := &Memory{NoLinks: m.NoLinks, Room: m.Room, used: m.used}
	for _, n := range m.nodes {
		out.nodes = append(out.nodes, n.clone())
		out.before = append(out.before, n.clone())
	}
	return out
}

// Settle brings everything to the disk, as waiting for a minute does.
func (m *Memory) Settle() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for at := range m.nodes {
		m.journal = append(m.journal, effect{kind: synced, at: at})
	}
}

// sector is what a disk writes at once.
const sector = 512

// Crash is what a power cut after the first effects may leave: one of many ways, by random numbers. The file system
// itself stays as it is.
func (m *Memory) Crash(effects int, random *rand.Rand) *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	journal := m.journal[:effects]
	out := &Memory{NoLinks: m.NoLinks, Room: m.Room}
	for at := range m.nodes {
		n := &node{}
		if m.nodes[at].entries != nil {
			n.entries = map[string]int{}
		}
		out.nodes = append(out.nodes, n)
	}
	for at, before := range m.before {
		out.nodes[at] = before.clone()
	}
	kept := keeper(random)
	certain := lastSyncs(journal)
	for i, e := range journal {
		switch {
		case e.kind == synced:
		case i < certain[e.at] && (e.kind != renamed || i < certain[e.into]):
			out.apply(e)
		case e.kind != written:
			if kept() {
				out.apply(e)
			}
		default:
			out.tear(e, kept, random)
		}
	}
	out.used = 0 // without what is lost with its names
	for _, n := range out.nodes {
		if n.names > 0 {
			out.used += len(n.data)
		}
	}
	out.Settle()
	return out
}

// lastSyncs gives for each node the number of its last fsync.
func lastSyncs(journal []effect) map[int]int {
	last := map[int]int{}
	for i, e := range journal {
		if e.kind == synced {
			last[e.at] = i
		}
	}
	return last
}

// keeper says of one uncertain effect after the other whether it is on the disk: of all, of none, of those before some
// moment, or of any.
func keeper(random *rand.Rand) func() bool {
	switch random.IntN(6) {
	case 0:
		return func() bool { return false }
	case 1:
		return func() bool { return true }
	case 2:
		left := random.IntN(40)
		return func() bool { left--; return left >= 0 }
	}
	part := random.Float64()
	return func() bool { return random.Float64() < part }
}

// tear has those sectors of a write that are kept. The file may be as long as it was to be all the same.
func (m *Memory) tear(e effect, kept func() bool, random *rand.Rand) {
	end := e.offset + len(e.data)
	if n := m.nodes[e.at]; len(n.data) < end && random.IntN(2) == 0 {
		old := make([]byte, end-len(n.data)) // zeros, or what was on the disk before
		if random.IntN(2) == 0 {
			for i := range old {
				old[i] = byte(random.Uint32())
			}
		}
		m.apply(effect{kind: written, at: e.at, offset: len(n.data), data: old})
	}
	for at := e.offset; at < end; {
		next := min(end, (at/sector+1)*sector)
		if kept() {
			m.apply(effect{kind: written, at: e.at, offset: at, data: e.data[at-e.offset : next-e.offset]})
		}
		at = next
	}
}
