package pth

import (
	"fmt"
	"slices"

	"github.com/wangkuiyi/gotorch/weights"
)

// Tuple is a Python tuple.
type Tuple []any

// List is a Python list. It is behind a pointer, as two places in a file may share one.
type List struct{ Items []any }

// Map is a Python dict or OrderedDict, in its order. Keys are strings or int64s.
type Map struct {
	Ordered bool // an OrderedDict
	keys    []any
	values  []any
	index   map[any]int
}

// Len is the number of keys.
func (m *Map) Len() int { return len(m.keys) }

// At gives the i-th key and its value.
func (m *Map) At(i int) (key, value any) { return m.keys[i], m.values[i] }

// Get gives the value under a string or int64.
func (m *Map) Get(key any) (value any, ok bool) {
	switch key.(type) {
	case string, int64:
	default:
		return nil, false // also keys that cannot be compared
	}
	i, ok := m.index[key]
	if !ok {
		return nil, false
	}
	return m.values[i], true
}

// add appends a key that is not there yet.
func (m *Map) add(key, value any) {
	if m.index == nil {
		m.index = make(map[any]int)
	}
	m.index[key] = len(m.keys)
	m.keys = append(m.keys, key)
	m.values = append(m.values, value)
}

// grow makes room for n keys more at once.
func (m *Map) grow(n int) {
	if m.index == nil {
		m.index = make(map[any]int, n)
	}
	m.keys, m.values = slices.Grow(m.keys, n), slices.Grow(m.values, n)
}

// DictOf takes a value of [ReadValue], or a part of one, as a state_dict: a dict of names to tensors.
func DictOf(v any) (*weights.Dict, error) {
	m, ok := v.(*Map)
	if !ok {
		return nil, refused("%s, not a dict of tensors; save a state_dict: torch.save(model.state_dict(), FILE)", kind(v))
	}
	d := new(weights.Dict)
	for i, k := range m.keys {
		name, ok := k.(string)
		if !ok {
			return nil, refused("a dict with the key %v, not a dict of names to tensors", k)
		}
		t, ok := m.values[i].(*weights.Tensor)
		if !ok {
			return nil, refused("%s is %s, not a tensor%s", show(name), kind(m.values[i]), m.advice())
		}
		d.Set(name, t)
	}
	return d, nil
}

// advice names the part of m that is a state_dict, the averaged one of several, if there is one.
func (m *Map) advice() string {
	var found any
	for i, k := range m.keys {
		sub, ok := m.values[i].(*Map)
		if !ok || sub.Len() == 0 {
			continue
		}
		name, _ := k.(string)
		if _, err := DictOf(sub); err == nil && (found == nil || weights.Averaged(name)) {
			found = k
		}
	}
	if found == nil {
		return ""
	}
	return fmt.Sprintf("; a training checkpoint? Its part %#v is a state_dict: "+
		"torch.save(torch.load(FILE, weights_only=True)[%#v], NEW)", found, found)
}

// kind says in Python's words what v is.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "a bool"
	case int64:
		return "an int"
	case float64:
		return "a float"
	case string:
		return "a str"
	case Tuple:
		return "a tuple"
	case *List:
		return "a list"
	case *Map:
		if v.Ordered {
			return "an OrderedDict"
		}
		return "a dict"
	case *weights.Tensor:
		return "a tensor"
	case *storage:
		return "a bare storage"
	case global:
		return "the global " + v.String()
	}
	return fmt.Sprintf("a %T", v)
}
