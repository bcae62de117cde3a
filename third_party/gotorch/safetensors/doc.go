// Package safetensors reads and writes .safetensors files, the weight format of Hugging Face, in plain Go.
//
// # Use
//
//	func Read(path string) (*weights.File, error)
//	func ReadFrom(r io.ReaderAt, size int64) (*weights.File, error)
//	func Write(w io.Writer, f *weights.File) error
//	func WriteFile(path string, f *weights.File) error // through package atomicfile
//
// [Reader] does the same as the Read functions with other limits. Errors satisfy errors.Is with [ErrNotSafetensors] or
// with those of package weights.
//
// # The format
//
//  1. 8 bytes, little-endian: the header's length.
//  2. The header, a JSON object: {"NAME": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}. Its key
//     "__metadata__", where there is one, has an object of strings. Spaces at the end bring it to a multiple of 8.
//  3. The tensors' bytes, row-major and little-endian, to which the offsets refer.
//
// # Reading
//
//  1. The header must be strict JSON (package strictjson) of at most 16 MiB.
//  2. Shape times type must be the span of the offsets, and the spans must fill the rest of the file: no gap, no
//     overlap, nothing after them. Only then is memory taken.
//  3. Where there is a record of ours, its two digests must fit, and the header must be byte for byte the one that Write
//     would have written: so no flipped bit and no lost byte goes unnoticed. The format itself has no checksum.
//
// # The seal
//
// flowmatch's record is the string under "flowmatch" in "__metadata__". Its last two fields are digests by SHA-256:
// "header_sha256" over the header as it is when the record is still without these two fields, spaces at the end left
// out; and "sha256" over all bytes after the header.
package safetensors
