package datasets

import (
	"context"
	"path/filepath"
	"strings"

	"flowmatch/datasets/internal/userfile"
)

// publication says where a set's files are to be had. The table below is all that
// the program knows of the world's servers.
type publication struct {
	set     string   // its name
	folder  string   // of its files, in the data folder
	mirrors []string // each has all the files below it, tried in this order

	// missing lists the published files of which something is not in dir.
	missing func(dir string) []remote
	// unpack takes dir's files from an archive; nil where the published files are
	// read as they are.
	unpack func(ctx context.Context, archive, dir string) error
}

// remote is a file as the set's makers publish it.
type remote struct {
	name   string
	size   int64  // bytes
	sha256 string // in hex
}

// The checksums are those that TensorFlow Datasets records. They agree with the
// MD5s that the makers, or torchvision, give:
//
//	mnist          f68b3c2d... d53e105e... 9fb629c4... ec29112d...
//	fashion_mnist  8d4fb7e6... 25c81989... bef4ecab... bb300cfd...
//	cifar10        c32a1d4a...
var publications = map[string]*publication{
	"mnist": idxPublication("mnist", "MNIST/raw",
		[]string{
			"https://ossci-datasets.s3.amazonaws.com/mnist",
			"https://storage.googleapis.com/cvdf-datasets/mnist",
			"https://raw.githubusercontent.com/fgnt/mnist/master",
		},
		[]remote{
			{"train-images-idx3-ubyte.gz", 9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"},
			{"train-labels-idx1-ubyte.gz", 28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"},
			{"t10k-images-idx3-ubyte.gz", 1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"},
			{"t10k-labels-idx1-ubyte.gz", 4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"},
		}),
	"fashion_mnist": idxPublication("fashion_mnist", "FashionMNIST/raw",
		[]string{
			"https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
			"https://storage.googleapis.com/tensorflow/tf-keras-datasets",
		},
		[]remote{
			{"train-images-idx3-ubyte.gz", 26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"},
			{"train-labels-idx1-ubyte.gz", 29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"},
			{"t10k-images-idx3-ubyte.gz", 4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"},
			{"t10k-labels-idx1-ubyte.gz", 5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"},
		}),
	"cifar10": cifarPublication("cifar10", cifar10Files,
		[]string{
			"https://cave.cs.toronto.edu/kriz", // where www.cs.toronto.edu/~kriz leads to now
			"https://www.cs.toronto.edu/~kriz",
			"https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10",
			"https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets",
		},
		remote{"cifar-10-binary.tar.gz", 170052171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"},
		30730000, 30730000),
	"cifar100": cifarPublication("cifar100", cifar100Files(1, 100, "fine_label_names.txt"),
		[]string{"https://cave.cs.toronto.edu/kriz", "https://www.cs.toronto.edu/~kriz"},
		remote{"cifar-100-binary.tar.gz", 168513733, "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"},
		153700000, 30740000),
}

// idxPublication is a set whose four files are used as they are. One that is there
// under another spelling is not missing, nor is any where torchvision keeps them all.
func idxPublication(set, kept string, mirrors []string, files []remote) *publication {
	return &publication{set: set, folder: set, mirrors: mirrors, missing: func(dir string) []remote {
		out := idxMissing(dir, files)
		if len(out) > 0 && len(idxMissing(filepath.Join(filepath.Dir(dir), kept), files)) == 0 {
			return nil
		}
		return out
	}}
}

func idxMissing(dir string, files []remote) []remote {
	var out []remote
	for _, f := range files {
		if path, err := present(dir, strings.TrimSuffix(f.name, ".gz")); err == nil && path == "" {
			out = append(out, f)
		}
	}
	return out
}

// cifarPublication is an archive of a set's files, of so many bytes each, by split.
func cifarPublication(set string, files *cifarSet, mirrors []string, archive remote, train, test int64) *publication {
	var members []member
	for _, name := range files.train {
		members = append(members, member{name: name, size: train})
	}
	for _, name := range files.test {
		members = append(members, member{name: name, size: test})
	}
	wanted := len(members)
	for _, name := range files.metas() {
		members = append(members, member{name: name, optional: true})
	}
	return &publication{set: set, folder: files.folder, mirrors: mirrors,
		missing: func(dir string) []remote {
			for _, m := range members[:wanted] {
				if !userfile.Exists(filepath.Join(dir, m.name)) {
					return []remote{archive}
				}
			}
			return nil
		},
		unpack: func(ctx context.Context, path, dir string) error {
			return unpack(ctx, path, files.folder, dir, members)
		},
	}
}
