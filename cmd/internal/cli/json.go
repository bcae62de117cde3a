package cli

import (
	"encoding/json"
	"io"
	"math"
)

// Finite is v for JSON, which has no NaN: nil, so absent, where v is no finite
// number.
func Finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// WriteJSON writes v in one line, with < and > as they are.
func WriteJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
