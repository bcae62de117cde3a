// Package kinds is what the commands do differently for points of the plane and for images.
//
// A [Kind] has the numbers and the words, [Points] and [Images] in a file each. What takes
// more than a number stands in the command that it is of, for both kinds side by side, as an
// [Each]. [Of] is where the kind of a set is asked for; no command does it in another way.
package kinds
