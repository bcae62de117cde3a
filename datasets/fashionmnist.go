package datasets

// fashionMNISTSet is that of Xiao, Rasul and Vollgraf 2017.
var fashionMNISTSet = entry{
	info: Info{Name: "fashion_mnist", Shape: []int{1, 28, 28}, Levels: 256, ClassNames: []string{
		"t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"}},
	traits: Traits{Reference: true},
	about:  "60,000 pieces of clothing of 28x28, IDX files in <data-dir>/fashion_mnist or FashionMNIST/raw",
	open: idxSet{fetched: true, places: []idxPlace{
		{folder: "fashion_mnist", idxNames: mnistNames}, {folder: "FashionMNIST/raw", idxNames: mnistNames},
	}}.open,
}
