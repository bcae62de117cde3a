// Package datasets reads the pictures that a flow is trained on and hands them
// out in batches.
//
// It is plain Go: nothing here touches libtorch, so every reader and every
// worker may run on any thread. What a batch becomes (a tensor, on which device)
// is the trainer's business.
//
// # From a name to a batch
//
//  1. A name, as on the command line (digits, mnist, fashion_mnist), is looked up
//     in one table. [Lookup] answers from the table alone: shape, classes, grey
//     levels, folder name. That is all that sampling needs. Of folder:DIR, pictures
//     of your own, it lists the sub-folders too: they are the classes.
//  2. [Open] reads the files into an [Images]: bytes [N,C,H,W] and one label each,
//     all in memory (MNIST is 47 MB). A file is believed only after its header
//     and its length agree; otherwise a [FileError] names file, fault and remedy.
//     What is only a pity (a missing batch of CIFAR-10, a damaged picture among many
//     good ones) is in [Images.Warnings]. Pictures of a folder are decoded, cropped
//     and scaled by as many goroutines as there are processors.
//  3. A pixel k of L levels becomes x = 2k/(L-1) - 1, in [-1,1], when a batch is
//     put together ([Images.Floats]).
//  4. A [Loader] deals batches out in an order that is a function of the seed and
//     the step alone, prepared ahead by worker goroutines.
//
// [Download] fetches what is missing of the sets that are public, see package fetch.
//
// # Order
//
// An epoch has floor(N/B) batches of B; the images left over sit that epoch out.
// Batch k of a run is slice k mod floor(N/B) of the permutation of epoch
// k div floor(N/B), and the permutation is drawn from a generator seeded with
// (seed, epoch). So a run that stopped after step k goes on from the number k,
// with no generator state to save, and the number of workers changes nothing.
//
// # Points of the plane
//
// Checkerboard, moons and their like have no images: [Info.Is2D] tells them apart, and
// package plane below this one opens them. [OpenSet] opens either kind as a [Set], which
// deals itself out in batches.
//
// # Not here
//
// Arrays of samples (.npz) are read and written by package npz below this one.
// Noise is paired with the data by package flow, whose couplings a training's source calls.
package datasets
