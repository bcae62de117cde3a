package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	MaxDepth    = 64      // arrays and objects inside each other
	MaxKeys     = 200_000 // keys of an object and of those around it, which are remembered to find them twice
	MaxElements = 100_000 // elements of an array that becomes a slice
	MaxNumber   = 400     // characters of a number, which may be shown in a message
)

// ErrTooMany is an object with more members than its caller takes.
var ErrTooMany = errors.New("too many members")

// Member is one key of an object and the text of its value.
type Member struct {
	Name  string
	Value json.RawMessage
}

// Valid says what is wrong with data, if it is not one strict JSON value.
func Valid(data []byte) error {
	s := scanner{data: data}
	return s.document(nil)
}

// Object checks data as [Valid] does and gives the members of the object that it is, so many at most. The values share
// data's memory.
func Object(data []byte, most int) ([]Member, error) {
	var members []Member
	s := scanner{data: data, top: &members, most: most}
	if s.space(); s.peek() != '{' {
		return nil, s.errorf("an object is expected")
	}
	if err := s.document(nil); err != nil {
		return nil, err
	}
	return members, nil
}

type scanner struct {
	data  []byte
	pos   int
	depth int
	keys  int       // of the objects that are open
	known bool      // refuse keys without a field
	top   *[]Member // where to put the outermost object's members
	most  int       // of them
}

// Error is what is wrong with a text, and where.
type Error struct {
	Byte int // of the text, from 0 on
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("JSON: byte %d: %v", e.Byte, e.Err) }

// Unwrap is what is wrong, without the place.
func (e *Error) Unwrap() error { return e.Err }

// Line is the place for people, who see data in an editor: line and column, in bytes, from 1 on.
func (e *Error) Line(data []byte) (line, column int) {
	before := data[:min(e.Byte, len(data))]
	return 1 + bytes.Count(before, []byte("\n")), len(before) - bytes.LastIndexByte(before, '\n')
}

func (s *scanner) errorf(format string, args ...any) error {
	return &Error{s.pos, fmt.Errorf(format, args...)}
}

func (s *scanner) document(t reflect.Type) error {
	if err := s.value(t); err != nil {
		return err
	}
	if s.space(); s.pos != len(s.data) {
		return s.errorf("text after the value")
	}
	return nil
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// peek gives the next byte, 0 at the end (0 is valid nowhere).
func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

// value reads one value that is meant for type t; nil is any type.
func (s *scanner) value(t reflect.Type) error {
	s.space()
	t = target(t)
	switch c := s.peek(); {
	case c == '{':
		return s.nested(func() error { return s.object(t) })
	case c == '[':
		return s.nested(func() error { return s.array(t) })
	case c == '"':
		_, err := s.str()
		return err
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	case s.word("true") || s.word("false"):
		return nil
	case s.word("null"):
		if !nullable(t) {
			return s.errorf("null for a %s", t)
		}
		return nil
	case s.pos == len(s.data):
		return s.errorf("the text ends too early")
	}
	return s.errorf("a value is expected")
}

func (s *scanner) nested(read func() error) error {
	if s.depth++; s.depth > MaxDepth {
		return s.errorf("more than %d levels", MaxDepth)
	}
	defer func() { s.depth-- }()
	s.pos++
	return read()
}

func (s *scanner) word(w string) bool {
	if len(s.data)-s.pos >= len(w) && string(s.data[s.pos:s.pos+len(w)]) == w {
		s.pos += len(w)
		return true
	}
	return false
}

// object reads what follows "{".
func (s *scanner) object(t reflect.Type) error {
	fields, elem := keysOf(t)
	var seen map[string]struct{}
	defer func() { s.keys -= len(seen) }()
	for first := true; ; first = false {
		s.space()
		if first && s.peek() == '}' {
			s.pos++
			return nil
		}
		if s.peek() != '"' {
			return s.errorf("a key is expected")
		}
		key, err := s.str()
		if err != nil {
			return err
		}
		if _, twice := seen[key]; twice {
			return s.errorf("key %.60q twice", key)
		}
		if seen == nil {
			seen = make(map[string]struct{})
		}
		seen[key] = struct{}{}
		if s.keys++; s.keys > MaxKeys {
			return s.errorf("more than %d keys", MaxKeys)
		}
		if fields != nil {
			if elem, err = fieldFor(fields, key, s.known); err != nil {
				return s.errorf("%w", err)
			}
		}
		if s.space(); s.peek() != ':' {
			return s.errorf("a colon is expected")
		}
		s.pos++
		s.space()
		start := s.pos
		if err := s.value(elem); err != nil {
			return err
		}
		if s.depth == 1 && s.top != nil {
			if len(*s.top) == s.most {
				return s.errorf("%w: at most %d", ErrTooMany, s.most)
			}
			*s.top = append(*s.top, Member{key, s.data[start:s.pos:s.pos]})
		}
		s.space()
		switch s.peek() {
		case ',':
			s.pos++
		case '}':
			s.pos++
			return nil
		default:
			return s.errorf("a comma or } is expected")
		}
	}
}

// array reads what follows "[".
func (s *scanner) array(t reflect.Type) error {
	elem, length := elementsOf(t)
	n := 0
	if s.space(); s.peek() == ']' {
		s.pos++
		return lengthError(s, n, length)
	}
	typed := elem != nil || length >= 0
	for {
		switch n++; {
		case length >= 0 && n > length:
			return s.errorf("%d elements or more, not %d", n, length)
		case typed && n > MaxElements:
			return s.errorf("more than %d elements", MaxElements)
		}
		if err := s.value(elem); err != nil {
			return err
		}
		s.space()
		switch s.peek() {
		case ',':
			s.pos++
		case ']':
			s.pos++
			return lengthError(s, n, length)
		default:
			return s.errorf("a comma or ] is expected")
		}
	}
}

func lengthError(s *scanner, n, want int) error {
	if want >= 0 && n != want {
		return s.errorf("%d elements, not %d", n, want)
	}
	return nil
}

// number reads -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
func (s *scanner) number() error {
	start := s.pos
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if !s.digits() {
		return s.errorf("a digit is expected")
	}
	if s.peek() == '.' {
		s.pos++
		if !s.digits() {
			return s.errorf("a digit is expected")
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if !s.digits() {
			return s.errorf("a digit is expected")
		}
	}
	if s.pos-start > MaxNumber {
		return s.errorf("a number of more than %d characters", MaxNumber)
	}
	return nil
}

func (s *scanner) digits() bool {
	start := s.pos
	for s.peek() >= '0' && s.peek() <= '9' {
		s.pos++
	}
	return s.pos > start
}

// str reads a string and gives what it stands for.
func (s *scanner) str() (string, error) {
	s.pos++
	start := s.pos
	var out []byte // once there is an escape
	escaped := false
	for s.pos < len(s.data) {
		c := s.data[s.pos]
		switch {
		case c == '"':
			text := s.data[start:s.pos]
			if escaped {
				text = append(out, text...)
			}
			s.pos++
			if !utf8.Valid(text) {
				return "", s.errorf("a string that is not UTF-8")
			}
			return string(text), nil
		case c < 0x20:
			return "", s.errorf("a control character in a string")
		case c == '\\':
			if !escaped {
				out = make([]byte, 0, s.stringEnd()-start)
			}
			out, escaped = append(out, s.data[start:s.pos]...), true
			s.pos++
			r, err := s.escape()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
			start = s.pos
		default:
			s.pos++
		}
	}
	return "", s.errorf("the text ends in a string")
}

// stringEnd finds the quote that ends a string from a place in it.
func (s *scanner) stringEnd() int {
	for i := s.pos; i < len(s.data); i++ {
		switch s.data[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return len(s.data)
}

// escape reads what follows a backslash.
func (s *scanner) escape() (rune, error) {
	c := s.peek()
	s.pos++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		r, err := s.hex4()
		if err != nil || !utf16.IsSurrogate(r) {
			return r, err
		}
		if s.word(`\u`) {
			low, err := s.hex4()
			if pair := utf16.DecodeRune(r, low); err == nil && pair != utf8.RuneError {
				return pair, nil
			}
		}
		return 0, s.errorf("half a surrogate pair")
	}
	return 0, s.errorf("an unknown escape")
}

func (s *scanner) hex4() (rune, error) {
	if len(s.data)-s.pos < 4 {
		return 0, s.errorf("the text ends in a string")
	}
	var r rune
	for _, c := range s.data[s.pos : s.pos+4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, s.errorf("four hex digits are expected")
		}
	}
	s.pos += 4
	return r, nil
}
