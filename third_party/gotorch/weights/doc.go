// Package weights holds what a checkpoint holds: named tensors in plain memory, in order,
// and a small JSON record about them. The packages pth and safetensors read and write it;
// neither needs libtorch.
//
// 1. A [Tensor] is an element type, a shape and its bytes: contiguous, row-major, little-endian.
// 2. A [Dict] is an ordered list of names, each with one tensor, as PyTorch's state_dict is.
// 3. A [File] is a Dict and, where flowmatch wrote the file, its record.
// 4. The record in a file ends in a seal, the SHA-256 of what else is in the file ([Seal], [Unseal]).
//
// It is not for computing: that is the binding's work.
package weights
