package datasets

var tenDigits = []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}

// mnistSet is LeCun, Cortes and Burges's set. torchvision keeps it in MNIST/raw.
var mnistSet = entry{
	info:   Info{Name: "mnist", Shape: []int{1, 28, 28}, Levels: 256, ClassNames: tenDigits},
	traits: Traits{Reference: true},
	about:  "60,000 handwritten digits of 28x28, IDX files in <data-dir>/mnist or MNIST/raw",
	open: idxSet{fetched: true, standing: true, places: []idxPlace{
		{folder: "mnist", idxNames: mnistNames}, {folder: "MNIST/raw", idxNames: mnistNames}, {folder: "mnist/MNIST/raw", idxNames: mnistNames},
	}}.open,
}
