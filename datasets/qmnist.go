package datasets

// qmnistNames are the makers': the labels are rows of eight numbers, the class first.
var qmnistNames = idxNames{
	idxPair{"qmnist-train-images-idx3-ubyte", "qmnist-train-labels-idx2-int"},
	idxPair{"qmnist-test-images-idx3-ubyte", "qmnist-test-labels-idx2-int"},
}

// qmnistSet is MNIST with all of its 60,000 test images (Yadav and Bottou 2019).
var qmnistSet = entry{
	info:  Info{Name: "qmnist", Shape: []int{1, 28, 28}, Levels: 256, ClassNames: tenDigits},
	about: "MNIST with 60,000 test images, IDX files in <data-dir>/qmnist or QMNIST/raw",
	open: idxSet{places: []idxPlace{
		{folder: "qmnist", idxNames: qmnistNames}, {folder: "QMNIST/raw", idxNames: qmnistNames},
	}}.open,
}
