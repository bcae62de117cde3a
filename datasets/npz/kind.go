package npz

import (
	"encoding/binary"
	"fmt"
	"math"
)

// kind is a type of numbers in a file: size bytes each, floats or whole numbers.
type kind struct {
	descr string
	size  int
	float func([]byte) float32 // nil for whole numbers
	whole func([]byte) int64
}

var little = binary.LittleEndian

// kinds are all that is read. Those of one byte have no order ('|').
var kinds = []kind{
	{"<f4", 4, func(b []byte) float32 { return math.Float32frombits(little.Uint32(b)) }, nil},
	{"<f8", 8, func(b []byte) float32 { return float32(math.Float64frombits(little.Uint64(b))) }, nil},
	{"|b1", 1, nil, func(b []byte) int64 { return int64(b[0]) }},
	{"|i1", 1, nil, func(b []byte) int64 { return int64(int8(b[0])) }},
	{"|u1", 1, nil, func(b []byte) int64 { return int64(b[0]) }},
	{"<i2", 2, nil, func(b []byte) int64 { return int64(int16(little.Uint16(b))) }},
	{"<u2", 2, nil, func(b []byte) int64 { return int64(little.Uint16(b)) }},
	{"<i4", 4, nil, func(b []byte) int64 { return int64(int32(little.Uint32(b))) }},
	{"<u4", 4, nil, func(b []byte) int64 { return int64(little.Uint32(b)) }},
	{"<i8", 8, nil, func(b []byte) int64 { return int64(little.Uint64(b)) }},
}

func kindOf(descr string) (kind, error) {
	for _, k := range kinds {
		if k.descr == descr {
			return k, nil
		}
	}
	switch {
	case descr == "|O":
		return kind{}, fmt.Errorf("it holds pickled objects, which are never loaded: save it as float32 or int64")
	case len(descr) > 0 && descr[0] == '>':
		return kind{}, fmt.Errorf("type %s is big-endian: save it as float32 or int64 of this machine", descr)
	}
	return kind{}, fmt.Errorf("type %q is not read: save it as float32 or int64", descr)
}
