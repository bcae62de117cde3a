// Bias and SiLU by a GPU's kernels (gpu/bias_silu.cuh).
#ifndef CGOTORCH_KERNELS_BIAS_SILU_GPU_H_
#define CGOTORCH_KERNELS_BIAS_SILU_GPU_H_

#include "launcher.h"

namespace gt {

// x: [...,C], bias: [C] or undefined.
struct BiasSiluOperands {
  const at::Tensor &x, &bias;

  // Whether x is where kernels are that compute with such types and sizes. as_it_lies: they
  // are given x itself, not a copy without gaps.
  bool on_gpu(bool as_it_lies) const;
  // From here on x is contiguous.
  //
  // Writes to y, which may be x.
  void forward_on_gpu(const at::Tensor &y) const;
  // Writes dx and gives the gradient at the bias, [C] of float32, if that is wanted.
  at::Tensor backward_on_gpu(const at::Tensor &dy, const at::Tensor &dx, bool of_bias) const;
};

// Whether kernels add bias to x w' and activate it. x: [...,I], w: [O,I], bias: [O] or undefined.
bool linear_silu_on_gpu(const at::Tensor &x, const at::Tensor &w, const at::Tensor &bias);

}  // namespace gt

#endif  // CGOTORCH_KERNELS_BIAS_SILU_GPU_H_
