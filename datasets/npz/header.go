package npz

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// header is what a .npy file says of itself.
type header struct {
	kind  kind
	shape []int
	// columns: the first index runs fastest, as in Fortran.
	columns bool
	size    int64 // bytes of the header, magic and all
}

// maxHeader is more than NumPy itself writes or, by default, reads.
const maxHeader = 16 << 10

// readHeader reads a .npy file's beginning.
func readHeader(r io.Reader) (header, error) {
	var start [8]byte
	if _, err := io.ReadFull(r, start[:]); err != nil {
		return header{}, endOr(err)
	}
	if string(start[:6]) != npyMagic {
		return header{}, errors.New("not an array of NumPy's: its first bytes are not \\x93NUMPY")
	}
	var length [4]byte
	width := 4
	switch version := start[6]; {
	case start[7] != 0 || version < 1 || version > 3:
		return header{}, fmt.Errorf("version %d.%d of NumPy's format is not known", start[6], start[7])
	case version == 1:
		width = 2
	}
	if _, err := io.ReadFull(r, length[:width]); err != nil {
		return header{}, endOr(err)
	}
	n := binary.LittleEndian.Uint32(length[:])
	if n > maxHeader {
		return header{}, fmt.Errorf("a header of %d bytes: at most %d are read", n, maxHeader)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return header{}, endOr(err)
	}
	h, err := parseHeader(string(text))
	h.size = int64(len(start)) + int64(width) + int64(n)
	return h, err
}

func endOr(err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCutShort
	}
	return err
}

// parseHeader reads {'descr': TEXT, 'fortran_order': BOOL, 'shape': (N, ...)} and
// nothing else: each key once, in any order.
func parseHeader(text string) (header, error) {
	var (
		h    header
		p    = parser{rest: text}
		seen = map[string]bool{}
	)
	p.expect("{")
	for p.err == nil && !p.accept("}") {
		key := p.text()
		p.expect(":")
		if p.err == nil && seen[key] {
			return h, fmt.Errorf("its header has %q twice", key)
		}
		seen[key] = true
		switch key {
		case "descr":
			if p.peek('[') {
				return h, errors.New("records are not read: only plain numbers")
			}
			descr := p.text()
			if p.err == nil {
				if h.kind, p.err = kindOf(descr); p.err != nil {
					return h, p.err
				}
			}
		case "fortran_order":
			h.columns = p.boolean()
		case "shape":
			h.shape = p.tuple()
		default:
			p.fail("an unknown key")
		}
		if !p.accept(",") {
			p.expect("}")
			break
		}
	}
	if p.err == nil && strings.Trim(p.rest, " \n") != "" {
		p.fail("text after its end")
	}
	if p.err != nil {
		return h, p.err
	}
	if len(seen) != 3 {
		return h, errors.New("its header lacks descr, fortran_order or shape")
	}
	h.columns = h.columns && len(h.shape) > 1
	return h, nil
}

// parser takes a header apart. After an error every step does nothing.
type parser struct {
	rest string
	err  error
}

func (p *parser) fail(what string) {
	if p.err == nil {
		p.err = fmt.Errorf("its header is not NumPy's: %s", what)
	}
}

func (p *parser) skip() { p.rest = strings.TrimLeft(p.rest, " ") }

func (p *parser) peek(c byte) bool {
	p.skip()
	return p.rest != "" && p.rest[0] == c
}

func (p *parser) accept(token string) bool {
	p.skip()
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok && p.err == nil {
		p.rest = rest
	}
	return ok && p.err == nil
}

func (p *parser) expect(token string) {
	if !p.accept(token) {
		p.fail("no " + token)
	}
}

// text is a quoted word without escapes.
func (p *parser) text() string {
	p.skip()
	if p.rest == "" || (p.rest[0] != '\'' && p.rest[0] != '"') {
		p.fail("no quoted word")
		return ""
	}
	word, rest, ok := strings.Cut(p.rest[1:], p.rest[:1])
	if !ok || len(word) > 64 || strings.ContainsRune(word, '\\') {
		p.fail("no quoted word")
		return ""
	}
	p.rest = rest
	return word
}

func (p *parser) boolean() bool {
	if p.accept("True") {
		return true
	}
	p.expect("False")
	return false
}

// tuple is (), (N,), (N, M) and so on.
func (p *parser) tuple() []int {
	shape := []int{}
	p.expect("(")
	for p.err == nil && !p.accept(")") {
		if len(shape) == maxRank {
			p.err = fmt.Errorf("more than %d dimensions", maxRank)
			break
		}
		shape = append(shape, p.number())
		if !p.accept(",") {
			p.expect(")")
			if len(shape) == 1 {
				p.fail("a tuple of one without its comma")
			}
			break
		}
	}
	return shape
}

func (p *parser) number() int {
	p.skip()
	n, digits := 0, 0
	for digits < len(p.rest) && p.rest[digits] >= '0' && p.rest[digits] <= '9' {
		if digits == 18 { // still below the largest int64
			p.fail("a dimension too large")
			return 0
		}
		n = 10*n + int(p.rest[digits]-'0')
		digits++
	}
	if digits == 0 {
		p.fail("no number")
	}
	p.rest = p.rest[digits:]
	return n
}
