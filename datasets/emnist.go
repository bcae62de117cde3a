package datasets

import "strings"

// The sets of EMNIST (Cohen et al. 2017): digits and letters, in several selections. All
// are stored by columns.
var (
	emnistLetters  = emnistSet("letters", 1, letters, "124,800 handwritten letters, capital and small in one class")
	emnistBalanced = emnistSet("balanced", 0, append(digitsAndCapitals(), strings.Split("abdefghnqrt", "")...),
		"112,800 handwritten digits and letters, small ones only where they look different")
	emnistByClass = emnistSet("byclass", 0, append(digitsAndCapitals(), letters...), "697,932 handwritten digits and letters, capital and small")
	emnistDigits  = emnistSet("digits", 0, tenDigits, "240,000 handwritten digits")
)

var letters = strings.Split("abcdefghijklmnopqrstuvwxyz", "")

func digitsAndCapitals() []string {
	return append(append([]string{}, tenDigits...), strings.Split("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "")...)
}

// emnistSet is one selection. Its files lie in emnist/, as their archive unpacks them
// in gzip/ or as torchvision keeps them; or, in a folder of their own or where MNIST's
// are expected, under MNIST's names.
func emnistSet(selection string, first uint8, classes []string, about string) entry {
	prefix := "emnist-" + selection + "-"
	names := idxNames{
		idxPair{prefix + "train-images-idx3-ubyte", prefix + "train-labels-idx1-ubyte"},
		idxPair{prefix + "test-images-idx3-ubyte", prefix + "test-labels-idx1-ubyte"},
	}
	s := idxSet{first: first, lying: true}
	for _, folder := range []string{"emnist", "emnist/gzip", "gzip", "EMNIST/raw", "EMNIST/raw/gzip"} {
		s.places = append(s.places, idxPlace{folder: folder, idxNames: names})
	}
	s.places = append(s.places, idxPlace{folder: "emnist_" + selection, idxNames: names}, idxPlace{folder: "emnist_" + selection, idxNames: mnistNames},
		idxPlace{folder: "mnist", idxNames: mnistNames, borrowed: true}, idxPlace{folder: "MNIST/raw", idxNames: mnistNames, borrowed: true},
		idxPlace{folder: "emnist", idxNames: mnistNames, borrowed: true})
	return entry{
		info:  Info{Name: "emnist_" + selection, Shape: []int{1, 28, 28}, Levels: 256, ClassNames: classes},
		about: about + ", of 28x28, IDX files in <data-dir>/emnist or EMNIST/raw",
		open:  s.open,
	}
}
