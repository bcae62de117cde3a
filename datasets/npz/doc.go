// Package npz reads and writes arrays in NumPy's .npz files, strictly.
//
// Samples leave the program this way, and noise comes in: [WriteSamples],
// [ReadSamples]. Beneath them lie [Write] and [Read], for any named arrays of plain
// numbers. numpy.load opens what is written here; what numpy.savez and
// savez_compressed write is read here.
//
// # The format
//
// An .npz file is a zip archive with a file NAME.npy for each array. A .npy file is
// a few magic bytes, a header that is the text of a Python dict,
//
//	{'descr': '<f4', 'fortran_order': False, 'shape': (10, 1, 8, 8), }
//
// padded to a multiple of 64 bytes, and the numbers, row after row.
//
// # What is refused
//
// A file may come from anybody. The header is read by a parser of exactly that
// dict, never evaluated. Only whole numbers, floats and booleans of little-endian
// order are taken: no pickled objects, no records, no texts. Before memory is set
// aside, the shape (its product by checked arithmetic) must agree with the length
// that the archive tells, and that with what the archive's own size can hold. Every
// byte's checksum is verified. Names may occur only once.
//
// Equal arrays give equal bytes: the archive carries no times.
package npz
