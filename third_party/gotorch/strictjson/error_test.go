package strictjson_test

import (
	"errors"
	"testing"

	"github.com/wangkuiyi/gotorch/strictjson"
)

// An error tells the byte, and for people line and column.
func TestErrorLine(t *testing.T) {
	for _, c := range []struct {
		text               string
		byte, line, column int
	}{
		{"", 0, 1, 1},
		{"{a", 1, 1, 2},
		{"{\n}x", 3, 2, 2},
		{"[1,\n\n  2", 8, 3, 4},
		{"[1,\n", 4, 2, 1},
	} {
		var at *strictjson.Error
		if err := strictjson.Valid([]byte(c.text)); !errors.As(err, &at) || at.Byte != c.byte {
			t.Errorf("%q: %v, want byte %d", c.text, err, c.byte)
			continue
		}
		if line, column := at.Line([]byte(c.text)); line != c.line || column != c.column {
			t.Errorf("%q: line %d, column %d, want %d, %d", c.text, line, column, c.line, c.column)
		}
	}
}
