package gotorch

import (
	"runtime/debug"
	"strings"
	"testing"
)

// The stand-in for a GPU (scripts/stand-in) forgives as little as one. Without it there
// is nothing to see here.
func TestStandIn(t *testing.T) {
	if standIn == "" {
		t.Skip("there is no stand-in here: scripts/stand-in")
	}
	d := NewDevice("cuda")
	x := Ones([]int64{2, 3}, false).To(d)

	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	p := mustPanic(t, func() { t.Log(*(*byte)(address(x))) })
	if _, ok := p.(interface{ Addr() uintptr }); !ok {
		t.Errorf("its memory can be read: %v", p)
	}

	// What libtorch's attention for GPUs does not take, and what RawAttention makes of it.
	qkv := RandN([]int64{2, 2, 3, 8, 5}, false).To(d) // a channel's tokens in a row
	qkv = qkv.Transpose(3, 4)
	for what, c := range map[string]struct {
		f    func()
		says string
	}{
		"other operands":      {func() { Add(x, Ones([]int64{2, 3}, false), 1) }, "same device"},
		"another device":      {func() { Add(x, Ones([]int64{2, 3}, false).To(NewDevice("cuda:1")), 1) }, "same device"},
		"too much memory":     {func() { EmptyWith([]int64{1 << 40}, Options{Device: d}) }, "out of memory"},
		"scores":              {func() { Attention(Select(qkv, 2, 0), Select(qkv, 2, 1), Select(qkv, 2, 2), 1) }, "scores"},
		"no scores":           {func() { RawAttention(qkv, 1) }, ""},
		"waiting":             {func() { SumAll(x).ItemFloat() }, ""},
		"waiting, forbidden":  {func() { forbidden(func() { SumAll(x).ItemFloat() }) }, "synchronizing"},
		"copying, forbidden":  {func() { forbidden(func() { x.To(CPU) }) }, "synchronizing"},
		"counting, forbidden": {func() { forbidden(func() { MaskedSelect(x, GtScalar(x, 0)) }) }, "synchronizing"},
	} {
		err := Try(c.f)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, not %q", what, err, c.says)
		}
	}
}

func forbidden(f func()) {
	CUDAForbidWaits(true)
	defer CUDAForbidWaits(false)
	f()
}
