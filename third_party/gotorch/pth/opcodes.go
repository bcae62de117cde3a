package pth

import (
	"fmt"

	"github.com/wangkuiyi/gotorch/weights"
)

// The 31 opcodes that the machine knows.
const (
	opMark       = '('
	opStop       = '.'
	opBinInt     = 'J'
	opBinInt1    = 'K'
	opBinInt2    = 'M'
	opNone       = 'N'
	opBinPersID  = 'Q'
	opReduce     = 'R'
	opBinUnicode = 'X'
	opAppend     = 'a'
	opBuild      = 'b'
	opGlobal     = 'c'
	opAppends    = 'e'
	opBinGet     = 'h'
	opLongBinGet = 'j'
	opBinPut     = 'q'
	opLongBinPut = 'r'
	opSetItem    = 's'
	opTuple      = 't'
	opSetItems   = 'u'
	opEmptyDict  = '}'
	opEmptyList  = ']'
	opEmptyTuple = ')'
	opBinFloat   = 'G'
	opProto      = 0x80
	opTuple1     = 0x85
	opTuple2     = 0x86
	opTuple3     = 0x87
	opNewTrue    = 0x88
	opNewFalse   = 0x89
	opLong1      = 0x8a
)

// otherOpcodes are named when they are refused (Python's pickletools).
var otherOpcodes = map[byte]string{
	'0': "POP", '1': "POP_MARK", '2': "DUP", 'F': "FLOAT", 'I': "INT", 'L': "LONG", 'P': "PERSID", 'S': "STRING",
	'T': "BINSTRING", 'U': "SHORT_BINSTRING", 'V': "UNICODE", 'd': "DICT", 'g': "GET", 'i': "INST", 'l': "LIST",
	'o': "OBJ", 'p': "PUT", 'B': "BINBYTES", 'C': "SHORT_BINBYTES", 0x81: "NEWOBJ", 0x82: "EXT1", 0x83: "EXT2",
	0x84: "EXT4", 0x8b: "LONG4", 0x8c: "SHORT_BINUNICODE", 0x8d: "BINUNICODE8", 0x8e: "BINBYTES8", 0x8f: "EMPTY_SET",
	0x90: "ADDITEMS", 0x91: "FROZENSET", 0x92: "NEWOBJ_EX", 0x93: "STACK_GLOBAL", 0x94: "MEMOIZE", 0x95: "FRAME",
	0x96: "BYTEARRAY8", 0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER",
}

func opcodeName(op byte) string {
	if name, ok := otherOpcodes[op]; ok {
		return name
	}
	return fmt.Sprintf("%#02x", op)
}

// global is one of the 13 names that a pickle may mention. It is a mark; there is nothing to call.
type global uint8

const (
	orderedDict global = iota
	rebuildTensor
	rebuildParameter
	storageOf // + weights.DType
)

// storageClasses names the storages of torch.
var storageClasses = map[weights.DType]string{
	weights.Float: "FloatStorage", weights.Double: "DoubleStorage", weights.Half: "HalfStorage",
	weights.BFloat16: "BFloat16Storage", weights.Long: "LongStorage", weights.Int: "IntStorage",
	weights.Short: "ShortStorage", weights.Char: "CharStorage", weights.Byte: "ByteStorage", weights.Bool: "BoolStorage",
}

var globals = func() map[string]global {
	m := map[string]global{
		"collections.OrderedDict":         orderedDict,
		"torch._utils._rebuild_tensor_v2": rebuildTensor,
		"torch._utils._rebuild_parameter": rebuildParameter,
	}
	for d, class := range storageClasses {
		m["torch."+class] = storageOf + global(d)
	}
	return m
}()

func (g global) String() string {
	for name, h := range globals {
		if g == h {
			return name
		}
	}
	return "unknown"
}

// dtype gives a storage class's element type.
func (g global) dtype() (weights.DType, bool) {
	d := weights.DType(g - storageOf)
	return d, g > storageOf && d.Valid()
}
