// Package trainer trains velocity fields by flow matching.
//
// A Run is a configuration, a network and a source of data; Train does its
// steps:
//
//  1. The source gives data x1 and labels y. Noise x0 and times t come from a
//     generator seeded with (seed, step): nothing depends on what came before,
//     so that a run resumes from its step number alone.
//  2. flow.Objective draws them, x_t and the velocity u; the loss is |v(x_t, t, y) - u|^2
//     (Lipman et al. 2023, eq. 14), under autocast where the precision is bf16.
//  3. Backward, for every part of the batch if gradients are accumulated.
//  4. The norm of all gradients decides on the device: they are scaled down to
//     the clipping norm, and an update with anything not finite is left out.
//  5. AdamW updates all parameters, then their moving average follows, each in
//     one call.
//  6. Loss and norm go into a ring on the device, which is read at log points
//     only: the loop never waits for a GPU in between. Observers are told then:
//     metrics.jsonl, a progress bar, whatever else a Run names.
//
// Each step runs in a scope, so that its memory is given back in one call.
//
// A run lives in a folder: state.pth, all that resuming needs; state-prev.pth,
// the one before; ckpt.pth, the weights for sampling and for PyTorch;
// metrics.jsonl. Files are replaced atomically, and the old state goes only
// after the new one was read back. Nothing is saved after a step that was no
// update, and at intervals nothing while the loss is ten times its running
// median: a run that diverges leaves a state from before that.
package trainer
