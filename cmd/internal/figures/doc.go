// Package figures draws the pictures of a run of points: what train and reflow
// write beside a checkpoint, and the film of two models that compare writes.
//
//  1. [Flags] say whether, and with how many samples.
//  2. [Plane] draws one model: histograms of the samples at ten times, the film
//     of the samples and the velocity field, and the likelihood.
//  3. [Pair] draws two models that start from the same noise.
//  4. [Losses] draws the curve of a training.
//
// Samples are solved in batches that fit the processor's cache, and counted in
// the cells of each frame as they come: no figure holds a frame's points. The
// film's samples are the first half of the evolution's, so one solution serves
// both.
package figures
