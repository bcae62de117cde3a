package weights

// DType is the type of a tensor's elements, under PyTorch's names. The zero value is no type.
type DType uint8

const (
	Float    DType = iota + 1 // float32
	Double                    // float64
	Half                      // float16, IEEE 754 binary16
	BFloat16                  // the upper half of a float32
	Long                      // int64
	Int                       // int32
	Short                     // int16
	Char                      // int8
	Byte                      // uint8
	Bool                      // one byte, 0 or 1
)

var dtypes = [...]struct {
	name string
	size int64
}{
	{"invalid", 0},
	Float:    {"float32", 4},
	Double:   {"float64", 8},
	Half:     {"float16", 2},
	BFloat16: {"bfloat16", 2},
	Long:     {"int64", 8},
	Int:      {"int32", 4},
	Short:    {"int16", 2},
	Char:     {"int8", 1},
	Byte:     {"uint8", 1},
	Bool:     {"bool", 1},
}

// Valid says whether d is one of the constants above.
func (d DType) Valid() bool { return d >= Float && d <= Bool }

// Size is the number of bytes of one element; 0 for an invalid type.
func (d DType) Size() int64 {
	if !d.Valid() {
		return 0
	}
	return dtypes[d].size
}

// String is the type's name in Python, without "torch.".
func (d DType) String() string {
	if !d.Valid() {
		return "invalid"
	}
	return dtypes[d].name
}

// Floating says whether the elements are floating-point numbers.
func (d DType) Floating() bool { return d >= Float && d <= BFloat16 }
