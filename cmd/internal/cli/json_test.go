package cli

import (
	"math"
	"strings"
	"testing"
)

func TestWriteJSON(t *testing.T) {
	var b strings.Builder
	v := struct {
		A, B *float64 `json:",omitempty"`
		C    string
	}{Finite(1.5), Finite(math.NaN()), "a<b"}
	if err := WriteJSON(&b, v); err != nil || b.String() != `{"A":1.5,"C":"a<b"}`+"\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
	if Finite(math.Inf(-1)) != nil {
		t.Error("-Inf is finite")
	}
}
