// Package picture reads users' own pictures, of the [Formats]: a head is believed only if the
// file's bytes can hold what it claims, and what the file says beside its pixels is told
// with them.
//
//  1. [ReadHead] tells the format by the first bytes, and width and height by its head: no
//     more than [Largest] pixels are decoded, and no more than so many bytes can hold.
//  2. [File.Decode] gives the pixels as they are stored, and the [Treatment]: what a user
//     should know of how they are used (16 bits, transparency, animations and pages, colour profiles).
//  3. [Orientation], of EXIF, says how they lie: [Orientation.Turn] sets a plane of them
//     upright.
//
// Its errors are *[Error]: the fault, and what to do.
package picture
