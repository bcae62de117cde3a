package npz

import (
	"fmt"
	"io"
)

// ReadNPY reads the one array of a .npy file of size bytes, under the same rules as
// those of an archive. It has no name.
func ReadNPY(r io.Reader, size int64) (Array, error) {
	h, err := readHeader(r)
	if err != nil {
		return Array{}, err
	}
	n, err := elements(h.shape)
	if err != nil {
		return Array{}, err
	}
	if want := h.size + int64(n)*int64(h.kind.size); size != want {
		return Array{}, fmt.Errorf("%d bytes of %d", size, want)
	}
	budget := fixedMemory + timesSize*size
	return readBody(r, h, n, &budget)
}
