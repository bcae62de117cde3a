// Package plane has the sets of points of the plane: checkerboard, moons and their like,
// image:FILE (a picture as a density) and points:FILE (a list of points). It is plain Go.
//
//  1. [Set.Sample] draws points. Point i of a seed is a function of (seed, i) alone: its own
//     short sequence of SplitMix64 begins at a mixture of both. So a training step draws its
//     part of the stream by number, and any part can be drawn again. Numbers drawn elsewhere
//     under the same seed, a flow's noise above all, are independent of the points.
//  2. [Set.LogDensity] is the true density, by formula (Gaussians, squares, circles), or as
//     the integral along the curve that the noise is added to; [Set.Entropy] is what a
//     perfect model's mean negative log-likelihood would be. Lists of points have neither.
//  3. [Set.PlotRange] is the square to draw the set in.
//
// A set more is a file with a function that makes it, and a line in the table.
package plane
