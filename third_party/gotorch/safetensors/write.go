package safetensors

import (
	"encoding/binary"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/wangkuiyi/gotorch/atomicfile"
	"github.com/wangkuiyi/gotorch/weights"
)

// WriteFile replaces the file at path, as package atomicfile does it.
func WriteFile(path string, f *weights.File) error {
	return atomicfile.Write(path, func(w io.Writer) error { return Write(w, f) })
}

// Write writes f's tensors in their order, and its record, if there is one, with its seal. Equal content gives equal
// bytes. Nothing is written if f is not fit to be read again.
func Write(w io.Writer, f *weights.File) error {
	entries, err := entriesOf(f)
	if err != nil {
		return err
	}
	var sealed []byte
	if f.Record != nil {
		if err := weights.CheckRecord(f.Record); err != nil {
			return err
		}
		sealed = makeSeal(f.Record, entries)
	}
	header := pad(render(entries, sealed))
	if len(header) > 16<<20 {
		return fmt.Errorf("a header of %d bytes, at most %d", len(header), 16<<20)
	}
	if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))); err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	for _, e := range entries {
		if _, err := w.Write(e.tensor.Data); err != nil {
			return err
		}
	}
	return nil
}

// entriesOf checks f's tensors and places them one after the other.
func entriesOf(f *weights.File) ([]entry, error) {
	const most = 100_000 - 1 // and the metadata
	if f.Tensors.Len() > most {
		return nil, fmt.Errorf("%d tensors, at most %d", f.Tensors.Len(), most)
	}
	entries := make([]entry, 0, f.Tensors.Len())
	at := int64(0)
	for name, t := range f.Tensors.All() {
		if !utf8.ValidString(name) || name == metadataKey {
			return nil, fmt.Errorf("%.80q cannot name a tensor in a .safetensors file", name)
		}
		if err := t.Check(); err != nil {
			return nil, fmt.Errorf("%.80q: %w", name, err)
		}
		entries = append(entries, entry{name, t, at, at + int64(len(t.Data))})
		at += int64(len(t.Data))
	}
	return entries, nil
}
