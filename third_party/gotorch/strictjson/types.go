package strictjson

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Unmarshal decodes data into v as encoding/json does, after the strict checks. Keys without a field are passed over.
func Unmarshal(data []byte, v any) error { return unmarshal(data, v, false) }

// UnmarshalKnown is [Unmarshal], but refuses keys without a field.
func UnmarshalKnown(data []byte, v any) error { return unmarshal(data, v, true) }

func unmarshal(data []byte, v any, known bool) error {
	s := scanner{data: data, known: known}
	if err := s.document(reflect.TypeOf(v)); err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("JSON: %w", err)
	}
	return nil
}

var (
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// target gives the type whose structure the text must follow: pointers are followed (the kind stays Pointer only for
// the question of null, see nullable), and types that decode themselves are nil.
func target(t reflect.Type) reflect.Type {
	if t == nil || t.Kind() == reflect.Interface {
		return nil
	}
	for p := t; ; p = p.Elem() {
		if p.Implements(jsonUnmarshaler) || reflect.PointerTo(p).Implements(jsonUnmarshaler) ||
			reflect.PointerTo(p).Implements(textUnmarshaler) {
			return nil
		}
		if p.Kind() != reflect.Pointer {
			return t
		}
	}
}

func nullable(t reflect.Type) bool {
	if t == nil {
		return true
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		return true
	}
	return false
}

func deref(t reflect.Type) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// keysOf gives what an object's keys may be: a struct's fields, or the type of all of a map's values.
func keysOf(t reflect.Type) (fields map[string]reflect.Type, elem reflect.Type) {
	t = deref(t)
	if t == nil {
		return nil, nil
	}
	switch t.Kind() {
	case reflect.Struct:
		fields = make(map[string]reflect.Type)
		addFields(fields, t)
	case reflect.Map:
		elem = t.Elem()
	}
	return fields, elem
}

func addFields(fields map[string]reflect.Type, t reflect.Type) {
	var embedded []reflect.Type
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if e := deref(f.Type); f.Anonymous && name == "" && e.Kind() == reflect.Struct {
			embedded = append(embedded, e)
			continue
		}
		if !f.IsExported() || f.Tag.Get("json") == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		fields[name] = f.Type
	}
	for _, e := range embedded { // the outer struct's fields hide these
		inner := make(map[string]reflect.Type)
		addFields(inner, e)
		for name, ft := range inner {
			if _, hidden := fields[name]; !hidden {
				fields[name] = ft
			}
		}
	}
}

func fieldFor(fields map[string]reflect.Type, key string, known bool) (reflect.Type, error) {
	if t, ok := fields[key]; ok {
		return t, nil
	}
	for name := range fields {
		if strings.EqualFold(name, key) {
			return nil, fmt.Errorf("key %.60q is written %q", key, name)
		}
	}
	if known {
		return nil, fmt.Errorf("unknown key %.60q", key)
	}
	return nil, nil
}

// elementsOf gives the type of an array's elements, and its length where the type fixes it, else -1.
func elementsOf(t reflect.Type) (reflect.Type, int) {
	t = deref(t)
	if t == nil {
		return nil, -1
	}
	switch t.Kind() {
	case reflect.Array:
		return t.Elem(), t.Len()
	case reflect.Slice:
		return t.Elem(), -1
	}
	return nil, -1
}
