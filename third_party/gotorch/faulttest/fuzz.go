package faulttest

import (
	"encoding/binary"
	"flag"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Seeds gives a fuzz test files to begin with. Where Go does not look for further ones itself, each is also tried with
// some of what it would do to them: always the same, so that go test finds what a fuzz test would find at once.
func Seeds(f *testing.F, files ...[]byte) {
	f.Helper()
	for _, file := range files {
		f.Add(file)
	}
	if searching() {
		return
	}
	const each = 200
	for i, file := range files {
		if len(file) == 0 {
			continue
		}
		random := rand.New(rand.NewPCG(5, uint64(i)))
		for range each {
			f.Add(mutated(file, files, random))
		}
	}
}

// searching tells whether Go looks for files itself.
func searching() bool { return flag.Lookup("test.fuzz").Value.String() != "" }

// numbers are those that lengths and sizes are wrong by.
var numbers = []uint64{0, 1, 7, 8, 127, 128, 255, 256, 1<<15 - 1, 1 << 16, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 40, 1<<63 - 1, 1 << 63, 1<<64 - 1}

// mutated is a file with some things done to it.
func mutated(file []byte, others [][]byte, random *rand.Rand) []byte {
	b := slices.Clone(file)
	for range 1 + random.IntN(4) {
		if len(b) == 0 {
			return b
		}
		at := random.IntN(len(b))
		rest := b[at:]
		n := 1 + random.IntN(min(len(rest), 64))
		switch random.IntN(8) {
		case 0:
			b[at] ^= 1 << random.IntN(8)
		case 1:
			b[at] = byte(numbers[random.IntN(8)])
		case 2:
			b = b[:at]
		case 3: // without a part
			b = slices.Delete(b, at, at+n)
		case 4: // a part twice
			b = slices.Insert(b, at, slices.Clone(rest[:n])...)
		case 5: // another number
			var eight [8]byte
			order := []binary.ByteOrder{binary.LittleEndian, binary.BigEndian}[random.IntN(2)]
			order.PutUint64(eight[:], numbers[random.IntN(len(numbers))])
			copy(rest, eight[:1<<random.IntN(4)])
		case 6: // a part of another file
			other := others[random.IntN(len(others))]
			if len(other) > 0 {
				copy(rest, other[random.IntN(len(other)):])
			}
		case 7: // a digit
			if i := slices.IndexFunc(rest, func(c byte) bool { return c >= '0' && c <= '9' }); i >= 0 {
				rest[i] = byte('0' + random.IntN(10))
			}
		}
	}
	return b
}

// Within is [Bounded] for the many files of a fuzz test: it says nothing of those that are well, and a picture may cost
// eight bytes a pixel more. Where Go searches, a file may take a second, and a picture 50 ns a pixel more.
func Within(t *testing.T, size int, pixels int64, read func()) {
	t.Helper()
	used, took, _ := cost(func() error { read(); return nil })
	if most := costFixed + 2*uint64(size) + 8*uint64(pixels); used > most && !raceDetector {
		t.Errorf("%d bytes of memory for a file of %d, at most %d", used, size, most)
	}
	most := time.Second + 50*time.Duration(pixels)
	for tries := 0; searching() && took > most; tries++ {
		if tries == 5 { // as long as that the machine was not busy with other things
			t.Fatalf("%v for a file of %d bytes, at most %v", took, size, most)
		}
		_, again, _ := cost(func() error { read(); return nil })
		took = min(took, again)
	}
}
