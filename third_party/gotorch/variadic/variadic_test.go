package variadic_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/wangkuiyi/gotorch/variadic"
)

var none []map[string]interface{}

func given() []map[string]interface{} {
	return []map[string]interface{}{{"dim": 1, "keep": false, "nothing": nil}, {"second": 2}}
}

func TestHasAndLookup(t *testing.T) {
	for _, c := range []struct {
		key  string
		want interface{}
		has  bool
	}{{"dim", 1, true}, {"keep", false, true}, {"nothing", nil, true}, {"Dim", nil, false}, {"second", nil, false}} {
		v, ok := variadic.Lookup(given(), c.key)
		assert.Equal(t, c.want, v, c.key)
		assert.Equal(t, c.has, ok, c.key)
		assert.Equal(t, c.has, variadic.Has(given(), c.key), c.key)
		v, ok = variadic.Lookup(none, c.key)
		assert.Nil(t, v)
		assert.False(t, ok)
		assert.False(t, variadic.Has(none, c.key))
	}
}

func TestGet(t *testing.T) {
	assert.Equal(t, 1, variadic.Get(given(), "dim"))
	assert.Equal(t, 1, variadic.Get(given(), "dim", 7))
	assert.Equal(t, false, variadic.Get(given(), "keep", true))
	assert.Nil(t, variadic.Get(given(), "absent"))
	assert.Equal(t, 7, variadic.Get(given(), "absent", 7))
	assert.Nil(t, variadic.Get(none, "dim"))
	assert.Nil(t, variadic.Get(none, "dim", 7), "no options at all: no default either")
}

func ExampleGet() {
	opts := []map[string]interface{}{{"dim": 2}}
	fmt.Println(variadic.Get(opts, "dim"), variadic.Get(opts, "keepDim", false))
	// Output: 2 false
}
