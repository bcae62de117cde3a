// Package pth reads and writes PyTorch's .pth files, in plain Go, without libtorch or Python.
//
// # Use
//
//	func Read(path string) (*weights.File, error)                  // a state_dict: names to tensors
//	func ReadFrom(r io.ReaderAt, size int64) (*weights.File, error)
//	func ReadValue(path string) (any, error)                       // any root, such as {"model": ..., "step": 5}
//	func ReadRoot(path string) (root any, record []byte, err error) // the same, and flowmatch's record
//	func DictOf(v any) (*weights.Dict, error)                      // a part of such a root as a state_dict
//	func Write(w io.Writer, f *weights.File) error
//	func WriteFile(path string, f *weights.File) error             // through package atomicfile
//
// [Reader] does the same as the Read functions with other limits. Its zero value has the default ones.
//
// ReadValue gives nil, bool, int64, float64, string, [Tuple], *[List], *[Map] or *[weights.Tensor].
//
// Errors satisfy errors.Is with [ErrNotPth], [ErrDamaged], [ErrRefused], [ErrLimit] or [ErrNewerFormat].
//
// # The format
//
//  1. torch.save writes a ZIP archive without compression, with one top folder. flowmatch always calls it "archive";
//     torch takes the file's name.
//  2. <top>/data.pkl is a pickle, protocol 2: a program for a small stack machine that rebuilds one Python object.
//  3. In it a tensor is a call of torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks).
//     The storage is a persistent id: ('storage', torch.FloatStorage, '0', 'cpu', numel).
//  4. <top>/data/0, 1, ... are the storages' bytes, each at a multiple of 64; <top>/byteorder says "little",
//     <top>/version says "3".
//  5. <top>/extra/flowmatch.json is flowmatch's record, which torch.load does not look at.
//
// # Reading
//
//  1. The ZIP directory is checked by our own code: every record stored, named once, one after the other from the first
//     byte to the last, its local header equal to its central one. (archive/zip is made for archives in general: it
//     accepts leading bytes, duplicate names and differing headers.)
//  2. The pickle machine knows 31 opcodes and 13 globals, and calls none of them: they are inert marks.
//  3. Sizes, offsets and strides are checked against the storages' records with checked arithmetic; only then is
//     memory taken, and each record is read straight into its final slice. Tensors that are contiguous in a
//     storage share its memory.
//  4. Each record's CRC-32 is compared, also of records that nothing refers to.
//  5. Where there is a record of ours, its SHA-256 must fit, and every byte of the file outside of the records must be
//     the one that Write would have written: so no flipped bit and no lost byte goes unnoticed.
//
// # The seal
//
// The record's last field is "sha256". It is taken over the other records of the archive in their order: for each, the
// name's length (8 bytes, little-endian), the name, the data's length (8 bytes, little-endian), the data.
package pth
