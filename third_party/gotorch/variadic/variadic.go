// Package variadic reads the options that GoTorch's functions take as
// ...map[string]interface{}, where Python has named arguments. Only the first
// map counts. New functions take option structs instead.
package variadic

// Has tells whether key was given.
func Has(opts []map[string]interface{}, key string) bool {
	_, ok := Lookup(opts, key)
	return ok
}

// Get is the value given for key, or else dft; nil where no options were
// given at all.
func Get(opts []map[string]interface{}, key string, dft ...interface{}) interface{} {
	if len(opts) == 0 {
		return nil
	}
	if v, ok := opts[0][key]; ok {
		return v
	}
	if len(dft) > 0 {
		return dft[0]
	}
	return nil
}

// Lookup is the value given for key, and whether there was one.
func Lookup(opts []map[string]interface{}, key string) (interface{}, bool) {
	if len(opts) == 0 {
		return nil, false
	}
	v, ok := opts[0][key]
	return v, ok
}
