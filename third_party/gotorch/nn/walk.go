package nn

import (
	"reflect"
	"strconv"
	"strings"
	"unicode"

	torch "github.com/wangkuiyi/gotorch"
)

// path is where the walk is, in both ways of naming.
type path struct {
	key, name string
	buffer    bool
}

func (p path) field(f reflect.StructField) path {
	name := snake(f.Name)
	for _, part := range strings.Split(f.Tag.Get("gotorch"), ",") {
		if part == "buffer" {
			p.buffer = true
		} else if n, ok := strings.CutPrefix(part, "name="); ok {
			name = n
		}
	}
	p.key += "." + f.Name
	p.name = dotted(p.name, name)
	return p
}

func (p path) index(i int) path {
	p.key += "[" + strconv.Itoa(i) + "]"
	p.name = dotted(p.name, strconv.Itoa(i))
	return p
}

func dotted(a, b string) string {
	if a == "" {
		return b
	}
	return a + "." + b
}

// snake turns RunningMean into running_mean.
func snake(s string) string {
	var b strings.Builder
	for i, r := range s {
		if unicode.IsUpper(r) {
			if i > 0 {
				b.WriteByte('_')
			}
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

var (
	tensorType = reflect.TypeOf(torch.Tensor{})
	moduleType = reflect.TypeOf(Module{})
)

// walk appends the tensors below v in the order of fields and elements.
func walk(v reflect.Value, p path, all *[]Named) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			walk(v.Elem(), p, all)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			walk(v.Index(i), p.index(i), all)
		}
	case reflect.Struct:
		if v.Type() == tensorType {
			if t := v.Interface().(torch.Tensor); t.T != nil {
				*all = append(*all, Named{Key: p.key, Name: p.name, Buffer: p.buffer, Tensor: t})
			}
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Type != moduleType && holds(f.Type) {
				walk(v.Field(i), p.field(f), all)
			}
		}
	}
}

// eachChild calls f for the modules that are fields of v, or elements of them.
func eachChild(v reflect.Value, f func(IModule)) {
	for i := range v.NumField() {
		if t := v.Type().Field(i); t.IsExported() && t.Type != moduleType && holds(t.Type) {
			eachModule(v.Field(i), f)
		}
	}
}

func eachModule(v reflect.Value, f func(IModule)) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return
		}
		if m, ok := v.Interface().(IModule); ok {
			f(m)
			return
		}
		eachModule(v.Elem(), f)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			eachModule(v.Index(i), f)
		}
	case reflect.Struct:
		if v.CanAddr() {
			if m, ok := v.Addr().Interface().(IModule); ok {
				f(m)
				return
			}
		}
		eachChild(v, f)
	}
}

// holds tells whether tensors can lie below a field of the type.
func holds(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return holds(t.Elem())
	case reflect.Interface:
		return true
	case reflect.Struct:
		return true
	}
	return false
}
