// Package metrics measures how good a flow model is.
//
// Of points and of images:
//
//   - [SlicedW2], the sliced 2-Wasserstein distance between two sets of samples:
//     project both on a random line, sort, and pair the sorted values, which is
//     the optimal transport between them there (Bonneel et al. 2015, section 3);
//     take the root of the mean over lines and pairs of the squared differences.
//   - [Straightness] of the model's own paths: the mean of |v(x_t,t) - (x1-x0)|^2,
//     which is 0 where every path is a straight line at constant speed, so that a
//     single Euler step is exact (Liu et al. 2023, "Flow Straight and Fast", eq. 8).
//   - [BitsPerDim], the likelihood of whole numbers k = 0..L-1 under a density of
//     real ones, by uniform dequantisation (Theis et al. 2016, section 3.1).
//
// Of images with classes, by a [Classifier] that was trained on the real ones:
//
//   - whether a sample is of the class that was asked for: [Accuracy].
//   - [Frechet], the distance between the Gaussians that have the samples' and the
//     real images' mean and covariance in the classifier's features (Dowson and
//     Landau 1982; Heusel et al. 2017, eq. 6). Its features are not Inception's:
//     the numbers compare with each other, not with published FIDs.
//
// The package knows nothing of files or pictures; numbers come as slices,
// row-major, and models as [flow.Velocity].
package metrics
