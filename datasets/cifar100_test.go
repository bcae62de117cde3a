package datasets

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// cifar100File has a record for each pair of a coarse and a fine class, whose pixels are
// all the fine one.
func cifar100File(pairs ...[2]uint8) []byte {
	var out []byte
	for _, p := range pairs {
		out = append(append(out, p[0], p[1]), bytes.Repeat([]byte{p[1]}, 3072)...)
	}
	return out
}

func TestCIFAR100(t *testing.T) {
	file := cifar100File([2]uint8{11, 19}, [2]uint8{0, 4}, [2]uint8{19, 99}) // cattle, beaver, worm-less: any pair may be
	own := map[string][]byte{"cifar-100-binary/train.bin": file, "cifar-100-binary/test.bin": cifar100File([2]uint8{4, 0})}
	for name, dir := range map[string]string{
		"own":     layFiles(t, own),
		"renamed": layFiles(t, map[string][]byte{cifarDir + "data_batch_1.bin": file}),
	} {
		for set, want := range map[string]struct {
			labels  []uint8
			classes int
			first   string
		}{"cifar100": {[]uint8{19, 4, 99}, 100, "cattle"}, "cifar100_coarse": {[]uint8{11, 0, 19}, 20, "large_omnivores_and_herbivores"}} {
			im, err := Open(set, Options{DataDir: dir})
			if err != nil || !slices.Equal(im.Labels, want.labels) || im.Classes() != want.classes || im.ClassNames[im.Labels[0]] != want.first || im.Pixels[2*3072] != 99 {
				t.Errorf("%s, %s: %v", name, set, err)
				continue
			}
			if told := strings.Contains(im.Warnings[0], "whose records are its own"); told != (name == "renamed") {
				t.Errorf("%s, %s: notes %q", name, set, im.Warnings)
			}
		}
	}
	if im, err := Open("cifar100", Options{DataDir: layFiles(t, own), Split: Test}); err != nil || !slices.Equal(im.Labels, []uint8{0}) {
		t.Errorf("test: %v", err)
	}
}

// TestCIFARKin: each set's records under the other's names are told apart.
func TestCIFARKin(t *testing.T) {
	ten, hundred := cifarFile(1, 2, 3), cifar100File([2]uint8{0, 4}, [2]uint8{1, 2})
	for _, c := range []struct {
		set, file string
		data      []byte
		says      string
	}{
		{"cifar10", cifarDir + "data_batch_1.bin", hundred, "6148 bytes: whole records of CIFAR-100, of 3074 bytes, and not of CIFAR-10; take the set cifar100, which reads it where it lies"},
		{"cifar100", "cifar-100-binary/train.bin", ten, "whole records of CIFAR-10, of 3073 bytes, and not of CIFAR-100; take the set cifar10, which"},
		{"cifar100", "cifar-100-binary/train.bin", hundred[:4000], "4000 bytes: not a multiple of 3074: truncated"},
		{"cifar100", "cifar-100-binary/train.bin", cifar100File([2]uint8{0, 100}), "class 100: they are 0 to 99; not a CIFAR-100 file"},
		{"cifar100", "cifar-100-python/train", ten, "cifar-100-python holds Python's version"},
		{"cifar100", cifarDir + "data_batch_1.bin", ten, "train.bin: not found; fetch it with Download"},
	} {
		dir := layFiles(t, map[string][]byte{c.file: c.data})
		_, err := Open(c.set, Options{DataDir: dir})
		var fault *FileError
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "delete") {
			t.Errorf("%s, %s: error %v\nwant %s", c.set, c.file, err, c.says)
		}
	}
	if im, err := CIFAR10(layFiles(t, map[string][]byte{"cifar-100-binary/train.bin": ten}), Train); err != nil || !slices.Equal(im.Labels, []uint8{1, 2, 3}) {
		t.Errorf("CIFAR-10 where CIFAR-100 should be: %v", err)
	}
}
