package kinds

import (
	"fmt"

	"flowmatch/cmd/internal/terminal"
	"flowmatch/datasets"
	"flowmatch/flow"
)

// Images are the sets of images.
var Images = Kind{
	What: "a set of images",
	About: func(set datasets.Set) string {
		s := set.Describe().Shape
		return fmt.Sprintf("%s of %dx%dx%d", terminal.Counted(set.Len(), "image"), s[0], s[1], s[2])
	},
	Smaller: smallerImages,

	Samples:  100,
	Shown:    100,
	Pictures: true,
	// An image is noise for half of its way, and takes shape late: there the frames are
	// closer.
	FilmTimes: flow.FilmTimes,

	Measured: 1000,
	Paths:    true,

	Pairs:        20_000,
	PairsPerFile: 256,
}

func smallerImages(in datasets.Info) string {
	const fewer = "--num-res-blocks 1 --attention-resolutions none"
	switch {
	case !datasets.TraitsOf(in.Name).Sized:
		return "--num-channels 32 " + fewer + " --batch-size 64 --iterations 1700"
	case in.Shape[1] > 32:
		return "--image-size 32 " + fewer
	}
	return fewer + " --iterations 1000"
}
