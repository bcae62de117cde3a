package safetensors

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/wangkuiyi/gotorch/strictjson"
	"github.com/wangkuiyi/gotorch/weights"
)

const (
	metadataKey = "__metadata__"
	recordKey   = "flowmatch" // in the metadata
	formatKey   = "format"    // in the metadata: "pt", which Hugging Face's own readers ask for
	formatValue = "pt"
)

// names of the element types, in the format's words.
var names = map[weights.DType]string{
	weights.Double: "F64", weights.Float: "F32", weights.Half: "F16", weights.BFloat16: "BF16", weights.Long: "I64",
	weights.Int: "I32", weights.Short: "I16", weights.Char: "I8", weights.Byte: "U8", weights.Bool: "BOOL",
}

var types = func() map[string]weights.DType {
	m := make(map[string]weights.DType, len(names))
	for d, name := range names {
		m[name] = d
	}
	return m
}()

// entry is one tensor of the header; its data is in [begin, end) of the bytes after it.
type entry struct {
	name       string
	tensor     *weights.Tensor
	begin, end int64
}

// render gives the header of f with the given text as its record, without spaces at the end.
func render(entries []entry, record []byte) []byte {
	b := []byte("{")
	if record != nil {
		b = append(b, `"`+metadataKey+`":{"`+formatKey+`":"`+formatValue+`","`+recordKey+`":`...)
		b = strictjson.AppendQuote(b, string(record))
		b = append(b, '}')
	}
	for _, e := range entries {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = strictjson.AppendQuote(b, e.name)
		b = append(b, `:{"dtype":"`+names[e.tensor.DType]+`","shape":[`...)
		for i, s := range e.tensor.Shape {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, s, 10)
		}
		b = fmt.Appendf(b, `],"data_offsets":[%d,%d]}`, e.begin, e.end)
	}
	return append(b, '}')
}

// pad brings a header to a multiple of 8 bytes.
func pad(header []byte) []byte {
	for len(header)%8 != 0 {
		header = append(header, ' ')
	}
	return header
}

// parse reads a header that length bytes of data follow. metadata is nil where there is none.
func parse(header []byte, length int64, maxTensors int) (entries []entry, metadata map[string]string, err error) {
	members, err := strictjson.Object(header, maxTensors+1) // and the metadata
	if errors.Is(err, strictjson.ErrTooMany) {
		return nil, nil, fmt.Errorf("%w: more than %d tensors", weights.ErrLimit, maxTensors)
	}
	if err != nil {
		return nil, nil, damaged("header: %w", err)
	}
	entries = make([]entry, 0, len(members))
	for _, m := range members {
		if m.Name == metadataKey {
			if string(m.Value) == "null" {
				return nil, nil, damaged("header: %s is null", metadataKey)
			}
			if err := strictjson.Unmarshal(m.Value, &metadata); err != nil {
				return nil, nil, damaged("header: %s: %w", metadataKey, err)
			}
			continue
		}
		e, err := parseEntry(m)
		if err != nil {
			return nil, nil, fmt.Errorf("%.80q: %w", m.Name, err)
		}
		entries = append(entries, e)
	}
	return entries, metadata, checkSpans(entries, length)
}

func parseEntry(m strictjson.Member) (entry, error) {
	var v struct {
		DType   *string   `json:"dtype"`
		Shape   *[]int64  `json:"shape"`
		Offsets *[2]int64 `json:"data_offsets"`
	}
	e := entry{name: m.Name}
	if err := strictjson.UnmarshalKnown(m.Value, &v); err != nil {
		return e, damaged("%w", err)
	}
	if v.DType == nil || v.Shape == nil || v.Offsets == nil {
		return e, damaged("dtype, shape or data_offsets is missing")
	}
	d, ok := types[*v.DType]
	if !ok {
		return e, fmt.Errorf("%w: the element type %.20q", weights.ErrRefused, *v.DType)
	}
	if len(*v.Shape) > weights.MaxRank {
		return e, fmt.Errorf("%w: %d dimensions, at most %d", weights.ErrLimit, len(*v.Shape), weights.MaxRank)
	}
	e.tensor = &weights.Tensor{DType: d, Shape: *v.Shape}
	e.begin, e.end = v.Offsets[0], v.Offsets[1]
	want := weights.ByteSize(d, *v.Shape)
	if want < 0 || e.begin < 0 || e.end < e.begin || e.end-e.begin != want {
		return e, damaged("%s of shape %v does not fill the bytes [%d,%d)", *v.DType, *v.Shape, e.begin, e.end)
	}
	return e, nil
}

// inFile gives the entries in the order of their bytes.
func inFile(entries []entry) []entry {
	sorted := slices.Clone(entries)
	slices.SortStableFunc(sorted, func(x, y entry) int {
		return cmp.Or(cmp.Compare(x.begin, y.begin), cmp.Compare(x.end, y.end))
	})
	return sorted
}

// checkSpans wants the tensors' bytes to fill the data exactly.
func checkSpans(entries []entry, length int64) error {
	at := int64(0)
	for _, e := range inFile(entries) {
		if e.begin != at {
			return damaged("%.80q begins at %d, not at %d where the bytes before it end", e.name, e.begin, at)
		}
		at = e.end
	}
	if at != length {
		return damaged("%d bytes of data, the header describes %d: cut off, or bytes were added", length, at)
	}
	return nil
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %w", weights.ErrDamaged, fmt.Errorf(format, args...))
}
