package npz

import (
	"archive/zip"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"
)

const (
	maxEntries = 1000
	// What the arrays may take in memory, and what reads them: a fixed part and so many
	// times the file's own size. Floats take no more than that, if they are not packed.
	// What claims more is refused before it is unpacked.
	fixedMemory = 60 << 20
	timesSize   = 2
	perArray    = 64 << 10 // for unpacking
)

// Read reads arrays from an archive of size bytes: those of the given names that
// are there, in the order of the names, or all of them where no name is given.
// Others are left unread.
func Read(r io.ReaderAt, size int64, names ...string) ([]Array, error) {
	zr, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("not an .npz file: %w", err)
	}
	if len(zr.File) > maxEntries {
		return nil, fmt.Errorf("%d arrays: at most %d are read", len(zr.File), maxEntries)
	}
	files := map[string]*zip.File{}
	var order []string
	for _, f := range zr.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		if !ok || !goodName(name) {
			return nil, fmt.Errorf("not an .npz file: it holds %.80q", f.Name)
		}
		if files[name] != nil {
			return nil, fmt.Errorf("it holds %s twice", name)
		}
		files[name] = f
		order = append(order, name)
	}
	if len(names) > 0 {
		order = slices.DeleteFunc(slices.Clone(names), func(s string) bool { return files[s] == nil })
	}
	budget := fixedMemory + timesSize*size
	var arrays []Array
	for _, name := range order {
		a, err := readArray(files[name], &budget)
		if err != nil {
			return nil, fmt.Errorf("array %s: %w", name, err)
		}
		a.Name = name
		arrays = append(arrays, a)
	}
	return arrays, nil
}

// readArray unpacks one entry, taking what it will need from the budget first.
func readArray(f *zip.File, budget *int64) (Array, error) {
	const encrypted = 1
	switch {
	case f.Flags&encrypted != 0:
		return Array{}, fmt.Errorf("it is encrypted")
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return Array{}, fmt.Errorf("packed by method %d: use numpy.savez or savez_compressed", f.Method)
	case f.Method == zip.Store && f.CompressedSize64 != f.UncompressedSize64:
		return Array{}, fmt.Errorf("%d bytes stored for %d: damaged", f.CompressedSize64, f.UncompressedSize64)
	}
	unpacked, err := f.Open()
	if err != nil {
		return Array{}, err
	}
	defer unpacked.Close()
	// The archive reader lets a checksum of 0 pass: ours does not.
	sum := crc32.NewIEEE()
	in := io.TeeReader(unpacked, sum)

	h, err := readHeader(in)
	if err != nil {
		return Array{}, err
	}
	n, err := elements(h.shape)
	if err != nil {
		return Array{}, err
	}
	body := int64(n) * int64(h.kind.size) // elements leaves room for this
	if want := uint64(h.size) + uint64(body); f.UncompressedSize64 != want {
		return Array{}, fmt.Errorf("%d bytes of %d", f.UncompressedSize64, want)
	}
	a, err := readBody(in, h, n, budget)
	if err != nil {
		return Array{}, err
	}
	if sum.Sum32() != f.CRC32 {
		return Array{}, fmt.Errorf("its checksum does not fit: damaged")
	}
	return a, nil
}

// readBody reads the n numbers behind a header, and that nothing follows. It takes the
// memory that they need from the budget first.
func readBody(in io.Reader, h header, n int, budget *int64) (Array, error) {
	a := Array{Shape: h.shape}
	memory := int64(n) * 8
	if h.kind.float != nil {
		memory = int64(n) * 4
	}
	if h.columns {
		memory *= 2 // to bring it into rows
	}
	buffer := min(chunk, max(n, 1)) * h.kind.size
	if *budget -= memory + int64(buffer) + perArray; *budget < 0 {
		return Array{}, fmt.Errorf("it would unfold to %d bytes: refused for a file so small; save it as float32, and not packed", memory)
	}
	if h.kind.float != nil {
		a.Floats = make([]float32, 0, n)
	} else {
		a.Ints = make([]int64, 0, n)
	}

	buf := make([]byte, buffer)
	for left := n; left > 0; {
		part := buf[:min(left, chunk)*h.kind.size]
		if _, err := io.ReadFull(in, part); err != nil {
			return Array{}, endOr(err)
		}
		for b := range slices.Chunk(part, h.kind.size) {
			if h.kind.float != nil {
				a.Floats = append(a.Floats, h.kind.float(b))
			} else {
				a.Ints = append(a.Ints, h.kind.whole(b))
			}
		}
		left -= len(part) / h.kind.size
	}
	if n, err := io.ReadFull(in, buf[:1]); n > 0 || err != io.EOF {
		if n > 0 {
			return Array{}, fmt.Errorf("bytes after its end")
		}
		return Array{}, endOr(err)
	}
	if h.columns {
		a.Floats, a.Ints = intoRows(a.Floats, a.Shape), intoRows(a.Ints, a.Shape)
	}
	return a, nil
}

// intoRows turns an array whose first index runs fastest into one whose last does.
func intoRows[T any](columns []T, shape []int) []T {
	if columns == nil {
		return nil
	}
	rows := make([]T, 0, len(columns))
	steps := make([]int, len(shape)) // from element to element along an index
	step := 1
	for k, d := range shape {
		steps[k], step = step, step*d
	}
	at := make([]int, len(shape)) // the index of the next element
	from := 0
	for range columns {
		rows = append(rows, columns[from])
		for k := len(shape) - 1; k >= 0; k-- {
			at[k]++
			from += steps[k]
			if at[k] < shape[k] {
				break
			}
			from -= at[k] * steps[k]
			at[k] = 0
		}
	}
	return rows
}
