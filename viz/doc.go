// Package viz draws the figures of a run: grids of samples, points of the plane, the
// films of noise turning into them, densities, and the curve of the loss.
//
// It takes plain slices and gives an image.Image, or writes to an io.Writer. It
// knows nothing of tensors, and it opens no files: the commands do that.
//
// # Samples
//
// [Pictures] is a batch as a sampler leaves it, values around [-1,1]. Only here, at
// the last moment, is a value clamped and turned into a level of 0..255.
//
//  1. A [Layout] says which sample goes where: [ByClass] makes a column for each
//     class, [Square] a plain block.
//  2. [ImageGrid] enlarges the samples by a whole factor, each pixel becoming a
//     square (an 8x8 digit is unreadable at its own size, and blurred by any other
//     kind of enlargement), and sets them on a white page.
//  3. [TrajectoryGIF] is the film of a grid taking shape; [SlidesGIF] one of finished
//     pages, as of what a training has learnt so far.
//
// # How a GIF is kept small
//
// A GIF has at most 256 colours and no compression but LZW, so noise is what fills
// it. Frames are written one at a time (memory stays at two frames, whatever their
// number), each only as the rectangle that changed, with pixels that stayed marked
// as transparent, which LZW packs into nearly nothing. A pixel keeps its colour
// until it has clearly left it: at 100 frames a sample moves by less than one level
// a frame, and without that slack half the pixels would flicker between two
// neighbours. One palette serves the whole clip: 63 greys, or 247 colours chosen by
// median cut from the first and the final samples. Delays are whole hundredths of a
// second, so not every rate exists: see [FrameDelay].
//
// # Points of the plane
//
// Points are [N,2] slices, and everything is drawn from their counts in the cells of a
// [Hist2D], whose colours (viridis) go from 0 to the 0.99 quantile of the counts.
//
//  1. [DatasetPlot] shows one set with axes, [Sets] several, [Evolution] one at several
//     times of the flow.
//  2. [VectorFieldGIF] is the film of a flow: velocities, at the places of [FieldGrid],
//     as arrows beside the points. [CompareGIF] has two models side by side.
//  3. [Likelihood] shows densities over one colour bar.
//
// Films draw a cell as a pixel or a whole square of them, undithered, and give one colour to counts
// that differ by less than chance makes them differ. Speeds are coloured by coolwarm, on
// a dark ground since its middle is a light grey; lengths go with the root of the speed,
// and both end at the 0.95 quantile of the clip's speeds.
//
// [Curves] is a chart of a few labelled lines: quality against the number of
// evaluations.
//
// # The loss
//
// [Losses] draws every step, however many: when several fall on one column of
// pixels, that column shows their span from least to greatest. The smoothed line is
// what a reader follows. The axis leaves out the highest half percent, so that the
// first steps do not press the rest flat.
package viz
