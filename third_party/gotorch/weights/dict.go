package weights

import "iter"

// Dict is an ordered set of named tensors, as a state_dict is. The zero value is empty and ready.
type Dict struct {
	names   []string
	tensors []*Tensor
	index   map[string]int
}

// Set puts t under name: in its old place if the name is there, else last.
func (d *Dict) Set(name string, t *Tensor) {
	if i, ok := d.index[name]; ok {
		d.tensors[i] = t
		return
	}
	if d.index == nil {
		d.index = make(map[string]int)
	}
	d.index[name] = len(d.names)
	d.names = append(d.names, name)
	d.tensors = append(d.tensors, t)
}

// Get gives the tensor under name, or nil.
func (d *Dict) Get(name string) *Tensor {
	if d == nil {
		return nil
	}
	if i, ok := d.index[name]; ok {
		return d.tensors[i]
	}
	return nil
}

// Len is the number of tensors.
func (d *Dict) Len() int {
	if d == nil {
		return 0
	}
	return len(d.names)
}

// Names gives a copy of the names, in order.
func (d *Dict) Names() []string {
	if d == nil {
		return nil
	}
	return append([]string(nil), d.names...)
}

// All visits names and tensors in order.
func (d *Dict) All() iter.Seq2[string, *Tensor] {
	return func(yield func(string, *Tensor) bool) {
		if d == nil {
			return
		}
		for i, n := range d.names {
			if !yield(n, d.tensors[i]) {
				return
			}
		}
	}
}

// File is the content of a weight file, whichever its format.
type File struct {
	// Tensors in the order of the file.
	Tensors *Dict
	// Record is a JSON object about the tensors, whose "format" is 1; nil where the file has none.
	// It never contains the seal: the writers add it, the readers check it and take it off.
	Record []byte
}
