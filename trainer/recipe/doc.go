// Package recipe says how a network is trained on a set, before anybody changes anything: which
// network, for how long, in which batches, at which learning rate. It is what the programs do
// where their flags say nothing.
//
//  1. [For] gives the recipe of a set: the best that was measured for points of the plane
//     (README, "Points of the plane"), and for images one that traits of the set change
//     ([datasets.Traits]), not its name. [Reference] is that of the reference system.
//  2. Its fields are changed as one likes.
//  3. [Recipe.Settle] makes a run's configuration of it, for a set of so many samples.
package recipe
