package datasets

var cifar10Record = cifarRecord{name: "CIFAR-10", labels: 1, classes: 10}

// cifar10Files are those of Krizhevsky 2009.
var cifar10Files = &cifarSet{
	folder: "cifar-10-batches-bin", archive: "cifar-10-binary.tar.gz", pythons: "cifar-10-batches-py",
	train: []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
	test:  []string{"test_batch.bin"}, images: 10000, meta: "batches.meta.txt",
	cifarRecord: cifar10Record, borrowed: &cifarSet{folder: cifar100Folder, train: cifar100Train, test: cifar100Test, cifarRecord: cifar100Record},
}

var cifar10Set = entry{
	info: Info{Name: "cifar10", Shape: []int{3, 32, 32}, Levels: 256, ClassNames: []string{
		"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}},
	traits: Traits{Photographs: true, Reference: true},
	about:  "50,000 colour photographs of 32x32, binary batches in <data-dir>/cifar-10-batches-bin",
	open:   cifar10Files.open,
}
