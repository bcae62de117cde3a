package pth

import (
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/wangkuiyi/gotorch/atomicfile"
	"github.com/wangkuiyi/gotorch/weights"
)

// WriteFile replaces the file at path, as package atomicfile does it.
func WriteFile(path string, f *weights.File) error {
	return atomicfile.Write(path, func(w io.Writer) error { return Write(w, f) })
}

// Write writes f's tensors so that torch.load(path, weights_only=True) gives a plain dict of CPU tensors in their order,
// and f's record, if there is one, with its seal. Equal content gives equal bytes. Nothing is written if f is not
// fit to be read again.
func Write(w io.Writer, f *weights.File) error {
	if err := check(f); err != nil {
		return err
	}
	parts := partsOf(f)
	l := new(layout)
	for _, p := range parts {
		if err := writeAll(w, l.add(p.name, int64(len(p.data)), crcOf(p.data)), p.data); err != nil {
			return err
		}
	}
	return writeAll(w, l.end())
}

type part struct {
	name string
	data []byte
}

// partsOf gives the archive's records in torch.save's order, then ours.
func partsOf(f *weights.File) []part {
	parts := []part{
		{root + "/data.pkl", pickle(f.Tensors)},
		{root + "/byteorder", []byte("little")},
	}
	for _, t := range f.Tensors.All() {
		parts = append(parts, part{root + "/data/" + strconv.Itoa(len(parts)-2), t.Data})
	}
	parts = append(parts, part{root + "/version", []byte("3\n")})
	if f.Record == nil {
		return parts
	}
	sum := newSum()
	for _, p := range parts {
		sealRecord(sum, p.name, int64(len(p.data)))
		_, _ = sum.Write(p.data)
	}
	return append(parts, part{root + recordName, weights.Seal(f.Record, weights.SumField, sum.Sum(nil))})
}

// check refuses what the reader would refuse.
func check(f *weights.File) error {
	limits := Reader{}.limits(0)
	if f.Tensors.Len() > limits.MaxEntries-4 {
		return fmt.Errorf("%d tensors, at most %d", f.Tensors.Len(), limits.MaxEntries-4)
	}
	for name, t := range f.Tensors.All() {
		if !utf8.ValidString(name) || len(name) > limits.MaxString {
			return fmt.Errorf("%s: a name that is not UTF-8 or has over %d bytes", show(name), limits.MaxString)
		}
		if err := t.Check(); err != nil {
			return fmt.Errorf("%s: %w", show(name), err)
		}
	}
	if f.Record == nil {
		return nil
	}
	if int64(len(f.Record)) > limits.MaxRecord-128 {
		return fmt.Errorf("a record of %d bytes, at most %d", len(f.Record), limits.MaxRecord-128)
	}
	return weights.CheckRecord(f.Record)
}

func writeAll(w io.Writer, parts ...[]byte) error {
	for _, b := range parts {
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}
