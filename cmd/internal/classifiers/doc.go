// Package classifiers keeps the classifiers that judge images.
//
//  1. [Open] parts a set into images to train a classifier on and others, which it
//     never sees, to test it and the flow model with.
//  2. [Store.Get] trains a classifier once and keeps it in a file. The file's record
//     says what it was trained on: where that is no longer so, or where the file is
//     damaged, it is trained anew, with a note.
package classifiers
