package datasets

import "strings"

const cifar100Folder = "cifar-100-binary" // as the makers' archive unpacks it

var cifar100Train, cifar100Test = []string{"train.bin"}, []string{"test.bin"}

// cifar100Record is that of both sets: the coarse class, then the fine one.
var cifar100Record = cifarRecord{name: "CIFAR-100", labels: 2, label: 1, classes: 100}

// cifar100Files are those of one of the two sets.
func cifar100Files(label, classes int, meta string) *cifarSet {
	r := cifar100Record
	r.label, r.classes = label, classes
	return &cifarSet{
		folder: cifar100Folder, archive: "cifar-100-binary.tar.gz", pythons: "cifar-100-python",
		train: cifar100Train, test: cifar100Test, images: 50000, meta: meta, cifarRecord: r,
		borrowed: &cifarSet{folder: "cifar-10-batches-bin", train: []string{"data_batch_1.bin"}, test: []string{"test_batch.bin"}, cifarRecord: cifar10Record},
	}
}

var cifar100Set = entry{
	info:   Info{Name: "cifar100", Shape: []int{3, 32, 32}, Levels: 256, ClassNames: strings.Fields(cifar100Classes)},
	traits: Traits{Photographs: true},
	about:  "50,000 colour photographs of 32x32 in 100 classes, binary files in <data-dir>/cifar-100-binary",
	open:   cifar100Files(1, 100, "fine_label_names.txt").open,
}

var cifar100CoarseSet = entry{
	info:   Info{Name: "cifar100_coarse", Shape: []int{3, 32, 32}, Levels: 256, ClassNames: strings.Fields(cifar100Coarse)},
	traits: Traits{Photographs: true},
	about:  "the same in 20 classes of five each",
	open:   cifar100Files(0, 20, "coarse_label_names.txt").open,
}

const cifar100Classes = `
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can
castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin
elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster
man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck
pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk
skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger
tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm`

const cifar100Coarse = `
aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices
household_furniture insects large_carnivores large_man-made_outdoor_things large_natural_outdoor_scenes
large_omnivores_and_herbivores medium_mammals non-insect_invertebrates people reptiles small_mammals trees
vehicles_1 vehicles_2`
