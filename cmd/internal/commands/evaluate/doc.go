// Package evaluate is the command that measures a trained model: how near its samples are to the data,
// how straight its paths are, how likely it finds data that it has not seen, and,
// of images, whether the samples are what was asked for. See package
// flowmatch/flow/metrics for what the numbers mean.
package evaluate
