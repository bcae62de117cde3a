package pth

import "github.com/wangkuiyi/gotorch/weights"

// walk checks a finished value: no container that holds itself, none deeper than a limit, nothing that only has a
// meaning inside the pickle, and not more values than a limit when everything that is shared is counted each time
// (forty lists, each holding the next one twice, take 200 bytes and a year to print).
type walk struct {
	*limits
	seen map[any]extent // containers, by what identifies them
}

// extent is a container's; open while the walk is inside of it.
type extent struct {
	open          bool
	height, count int
}

func newWalk(l *limits) *walk { return &walk{l, make(map[any]extent)} }

func (w *walk) check(v any) error {
	_, err := w.visit(v, 1)
	return err
}

func (w *walk) visit(v any, depth int) (extent, error) {
	var id any
	var children int
	var child func(i int) any
	switch v := v.(type) {
	case nil, bool, int64, float64, string, *weights.Tensor:
		return extent{count: 1}, nil
	case Tuple:
		if len(v) == 0 {
			return extent{count: 1}, nil
		}
		id, children, child = &v[0], len(v), func(i int) any { return v[i] }
	case *List:
		id, children, child = v, len(v.Items), func(i int) any { return v.Items[i] }
	case *Map:
		id, children, child = v, len(v.values), func(i int) any { return v.values[i] }
	default:
		return extent{}, refused("%s where a value should be", kind(v))
	}
	e, seen := w.seen[id]
	if e.open {
		return e, refused("%s that holds itself", kind(v))
	}
	if !seen {
		if depth > w.MaxDepth {
			return e, overLimit("values more than %d levels deep", w.MaxDepth)
		}
		if err := w.charge(96); err != nil {
			return e, err
		}
		w.seen[id] = extent{open: true}
		e = extent{height: 1, count: 1}
		for i := range children {
			c, err := w.visit(child(i), depth+1)
			if err != nil {
				return e, err
			}
			e.height = max(e.height, c.height+1)
			if e.count += c.count; e.count > w.MaxValues {
				return e, overLimit("more than %d values", w.MaxValues)
			}
		}
		w.seen[id] = e
	}
	if depth-1+e.height > w.MaxDepth {
		return e, overLimit("values more than %d levels deep", w.MaxDepth)
	}
	return e, nil
}
