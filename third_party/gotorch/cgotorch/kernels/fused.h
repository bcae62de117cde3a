// Passes over all parameters at once, by all cores.
#ifndef CGOTORCH_KERNELS_FUSED_H_
#define CGOTORCH_KERNELS_FUSED_H_

#include "adamw.h"
#include "pch.h"

namespace gt {

void step_all(const AdamW &o, const std::vector<AdamWOperands> &all);
void round_all(const std::vector<AdamWOperands> &all);
void sum_all(const std::vector<GradSum> &all);

// The 2-norm of float32 tensors on the CPU together, of whatever order but without gaps. The
// number of threads changes no bit.
float norm_of_all(const std::vector<at::Tensor> &all);

// Whether t, where there is one, has elements of one of the types in the order of p's and on
// its device, so that loops can go through both.
bool alongside(const at::Tensor &p, const at::Tensor &t, bool half_too);
// Whether to += parts can be done by such loops.
bool sums(const at::Tensor &p, const at::Tensor &to, const std::vector<at::Tensor> &parts);

}  // namespace gt

#endif  // CGOTORCH_KERNELS_FUSED_H_
