package datasets

// kmnistSet is that of Clanuwat et al. 2018.
var kmnistSet = entry{
	info: Info{Name: "kmnist", Shape: []int{1, 28, 28}, Levels: 256, ClassNames: []string{
		"o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"}},
	about: "60,000 cursive Japanese characters of 28x28, IDX files in <data-dir>/kmnist or KMNIST/raw",
	open: idxSet{places: []idxPlace{
		{folder: "kmnist", idxNames: mnistNames}, {folder: "KMNIST/raw", idxNames: mnistNames},
	}}.open,
}
