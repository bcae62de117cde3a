// Package snapshots draws what a model has learnt while it is trained: grids of images
// by class, or points of the plane, always from the same noise, so that one picture
// after the other shows the same samples getting better.
//
//  1. [Observer] is told by the run after some steps, about ten times a run. What it does
//     changes the training by no bit.
//  2. A [Painter] draws samples by the averaged weights, few of them in few steps of the
//     solver, and a picture of them.
//  3. The pictures are progress/000800.png, by their step, in the run's folder, and go to
//     TensorBoard, too. Runs that go on have the same noise, and the pictures of steps
//     that are done again are taken back.
//  4. They may cost a twentieth of the run's time: each is timed, and where that is too
//     much there are fewer of them.
//  5. At the end [Observer.Film] makes progress.gif of them.
package snapshots
