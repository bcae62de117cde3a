package datasets

import "context"

// Of a set without a test part of its own every fifth image is kept from what
// measures a model, so that classes and sources stay mixed. Flows train on all.
const heldOneIn = 5

// OpenParts opens a set for measuring models of it: fit are the images to fit a
// classifier on, test are others, which it never sees. Where the set has no test
// files of its own, every fifth of its images is held out.
func OpenParts(ctx context.Context, name string, opts Options) (fit, test *Images, err error) {
	opts.Split = Train
	if fit, err = OpenContext(ctx, name, opts); err != nil {
		return nil, nil, err
	}
	if fit.Undivided {
		fit, test = fit.holdOut()
		return fit, test, nil
	}
	opts.Split = Test
	if TraitsOf(name).Sized { // whose two parts are of one shape
		opts.Channels, opts.ImageSize = fit.Shape[0], fit.Shape[1]
	}
	test, err = OpenContext(ctx, name, opts)
	return fit, test, err
}

// holdOut parts a set that is one. A class's only image stays with those to fit on,
// or a classifier would have to tell what it has never seen.
func (im *Images) holdOut() (fit, test *Images) {
	count := make([]int, max(1, im.Classes()))
	for _, y := range im.Labels {
		count[y]++
	}
	held := func(i int) bool {
		return i%heldOneIn == heldOneIn-1 && (im.Labels == nil || count[im.Labels[i]] > 1)
	}
	fit, test = im.Subset(func(i int) bool { return !held(i) }), im.Subset(held)
	fit.Warnings, fit.Undivided, test.Undivided = im.Warnings, true, true
	fit.Files, test.Files = im.Files, im.Files
	return fit, test
}
