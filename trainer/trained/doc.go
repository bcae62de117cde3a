// Package trained opens what a training has made: a checkpoint as a velocity, with the set and
// the classes that it was trained on.
//
//  1. [Open] reads a file of weights, .pth or .safetensors, or a run's state; [Of] takes one
//     that is in memory, such as those of package pretrained.
//  2. Its record says which network it is and of which set. A file that PyTorch wrote has none:
//     then [Options] name the set, whose usual network it is (package recipe), or the network.
//  3. [Model.Velocity] is what flow.Sampling, flow.Likelihood and the measures take.
package trained
