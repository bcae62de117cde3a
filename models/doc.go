// Package models has the networks that flow matching trains: velocity fields
// v(x, t, y) that say how a point x moves at time t, given a class y.
//
//   - UNet, for images: the network of guided diffusion (Dhariwal and Nichol
//     2021), with the layers and parameter names of torchcfm's UNetModel, so
//     that weights go to and from PyTorch as they are.
//
//   - MLP, for points of the plane: four linear layers on the point and the
//     time.
//
// Each is a [Network] that says its [Config], by which alone the other packages
// know it: a network of another kind is its own files and a line in the table of
// ParseConfig.
//
// Parameters have PyTorch's names and initialisation. Shapes are written at
// every Forward: B samples, C channels, H x W pixels, E features of the time
// and class embedding, T = H W tokens of attention.
package models
