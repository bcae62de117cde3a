// Package tfevents writes and reads the event files of TensorBoard, as far as
// scalars and pictures go.
//
// A file is a sequence of records, each of which frames one event:
//
//	length of data, 8 bytes; its masked CRC; data; the data's masked CRC
//
// Numbers are little-endian, and a CRC is CRC-32C (Castagnoli), masked because a CRC
// over data that holds CRCs is a weak one. The data is an Event of
// tensorflow/core/util/event.proto in the wire format of protocol buffers.
//
// TensorBoard reads the files of a folder in the order of their names, each up to
// its end or to the first damaged record. An event that starts a session takes back
// what came before with its step or a later one.
package tfevents
