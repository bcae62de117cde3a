package npz

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// Write writes the arrays in their order, not compressed (samples are noise to a
// packer). The same arrays give the same bytes.
func Write(w io.Writer, arrays ...Array) error {
	seen := map[string]bool{}
	for i := range arrays {
		if err := arrays[i].check(); err != nil {
			return err
		}
		if seen[arrays[i].Name] {
			return fmt.Errorf("npz: two arrays of the name %s", arrays[i].Name)
		}
		seen[arrays[i].Name] = true
	}
	zw := zip.NewWriter(w)
	for i := range arrays {
		entry, err := zw.CreateHeader(&zip.FileHeader{
			Name:     arrays[i].Name + ".npy",
			Method:   zip.Store,
			Modified: zipEpoch,
		})
		if err != nil {
			return err
		}
		if err := writeArray(entry, &arrays[i]); err != nil {
			return err
		}
	}
	return zw.Close()
}

// zipEpoch is the first date that a zip archive can tell, the one that NumPy uses.
var zipEpoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// chunk is how many values are turned into bytes at once.
const chunk = 8192

func writeArray(w io.Writer, a *Array) error {
	descr := "<i8"
	if a.Floats != nil {
		descr = "<f4"
	}
	if _, err := w.Write(npyHeader(descr, a.Shape)); err != nil {
		return err
	}
	buf := make([]byte, 0, 8*chunk)
	flush := func(whenOver int) error {
		if len(buf) <= whenOver {
			return nil
		}
		_, err := w.Write(buf)
		buf = buf[:0]
		return err
	}
	for _, v := range a.Floats {
		buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
		if err := flush(7 * chunk); err != nil {
			return err
		}
	}
	for _, v := range a.Ints {
		buf = binary.LittleEndian.AppendUint64(buf, uint64(v))
		if err := flush(7 * chunk); err != nil {
			return err
		}
	}
	return flush(0)
}

const npyMagic = "\x93NUMPY"

// npyHeader is a version 1.0 header, padded so that the numbers begin at a multiple
// of 64 bytes.
func npyHeader(descr string, shape []int) []byte {
	dims := make([]string, len(shape))
	for i, d := range shape {
		dims[i] = strconv.Itoa(d)
	}
	tuple := "(" + strings.Join(dims, ", ") + ")"
	if len(dims) == 1 {
		tuple = "(" + dims[0] + ",)"
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, tuple)
	const fixed = len(npyMagic) + 4
	pad := 64 - (fixed+len(text)+1)%64
	text += strings.Repeat(" ", pad%64) + "\n"
	head := append([]byte(npyMagic), 1, 0)
	head = binary.LittleEndian.AppendUint16(head, uint16(len(text)))
	return append(head, text...)
}
