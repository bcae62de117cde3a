package nn

import (
	"fmt"
	"reflect"

	torch "github.com/wangkuiyi/gotorch"
)

// Visitor is a function that a walk over a model's fields calls.
type Visitor func(f reflect.StructField, v reflect.Value, prefix string, noSuffix bool) error

// SequentialModule feeds what a module returns to the next.
type SequentialModule struct {
	Module
	Modules []IModule
}

// Sequential makes a module of modules that have a method Forward each.
func Sequential(modules ...IModule) *SequentialModule {
	s := &SequentialModule{Modules: modules}
	s.Init(s)
	return s
}

// Forward gives inputs to the first module, its results to the second, and so
// on; it returns the last one's only result.
func (s *SequentialModule) Forward(inputs ...interface{}) interface{} {
	if len(s.Modules) == 0 {
		fail("Sequential", "it has no modules")
	}
	for i, m := range s.Modules {
		inputs = call(fmt.Sprintf("module %d, a %T", i, m), m, inputs)
	}
	if len(inputs) != 1 {
		fail("Sequential", fmt.Sprintf("the last module returns %d values, one is wanted", len(inputs)))
	}
	return inputs[0]
}

func call(what string, m IModule, inputs []interface{}) []interface{} {
	f := reflect.ValueOf(m).MethodByName("Forward")
	if !f.IsValid() {
		fail("Sequential", what+", has no Forward")
	}
	t := f.Type()
	if n := t.NumIn(); len(inputs) != n && !(t.IsVariadic() && len(inputs) >= n-1) {
		fail("Sequential", fmt.Sprintf("%s, takes %d values, %d are given", what, n, len(inputs)))
	}
	args := make([]reflect.Value, len(inputs))
	for i, in := range inputs {
		if args[i] = reflect.ValueOf(in); in == nil {
			args[i] = reflect.Zero(argument(t, i))
		}
		if !args[i].Type().AssignableTo(argument(t, i)) {
			fail("Sequential", fmt.Sprintf("%s, takes a %v, a %T is given", what, argument(t, i), in))
		}
	}
	var out []interface{}
	for _, v := range f.Call(args) {
		out = append(out, v.Interface())
	}
	return out
}

func argument(f reflect.Type, i int) reflect.Type {
	if f.IsVariadic() && i >= f.NumIn()-1 {
		return f.In(f.NumIn() - 1).Elem()
	}
	return f.In(i)
}

func fail(op, msg string) { panic(&torch.Error{Op: op, Msg: msg}) }

// FunctionalModule makes a layer of a function.
type FunctionalModule struct {
	Module
	Function func(torch.Tensor) torch.Tensor
}

// Functional makes a layer of f.
func Functional(f func(torch.Tensor) torch.Tensor) *FunctionalModule {
	m := &FunctionalModule{Function: f}
	m.Init(m)
	return m
}

// Forward is f.
func (m *FunctionalModule) Forward(input torch.Tensor) torch.Tensor { return m.Function(input) }
