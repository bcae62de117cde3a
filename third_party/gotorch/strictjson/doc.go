// Package strictjson reads JSON from files that may be damaged or hostile, where encoding/json is too kind: it takes
// the last of two equal keys, keys in another case, null for a number, arrays of another length than the Go array,
// and replaces broken text by U+FFFD.
//
//  1. [Valid] checks the whole text: one value, nothing after it, no key twice in an object, well-formed UTF-8 and
//     escapes, at most [MaxDepth] levels and [MaxKeys] keys, no number of more than [MaxNumber] characters.
//  2. [Object] does the same and gives an object's members in their order.
//  3. [Unmarshal] and [UnmarshalKnown] walk text and Go type side by side before they hand both to encoding/json;
//     UnmarshalKnown also refuses keys for which the type has no field. What becomes a slice has at most [MaxElements].
package strictjson
