// Group normalisation by a GPU's kernels (gpu/groupnorm.cuh).
#ifndef CGOTORCH_KERNELS_GROUPNORM_GPU_H_
#define CGOTORCH_KERNELS_GROUPNORM_GPU_H_

#include "launcher.h"

namespace gt {

// What is normalised and by what. x: [samples,channels,...], of which the channels
// lie side by side; those that there may be none of are undefined then.
struct GroupNormOperands {
  const at::Tensor &x, &shift, &weight, &bias;
  int64_t groups;
  double eps;
  bool act;

  // Whether x is where kernels are that compute with such types and sizes. as_it_lies: they
  // are given x itself, not a copy in another layout.
  bool on_gpu(bool as_it_lies) const;
  // y, of x's layout. mean: [2,samples,groups], float32, what backward wants back.
  at::Tensor forward_on_gpu(const at::Tensor &mean) const;
  // Writes dx and sums, [2 or 3,samples,channels], float32: over pixels, what the gradients of
  // weight, bias and shift are sums of. dy, dx, and rest, which is added to dx, or none:
  // of x's layout.
  void backward_on_gpu(const at::Tensor &mean, const at::Tensor &dy, const at::Tensor &rest,
                       const at::Tensor &dx, const at::Tensor &sums) const;
};

}  // namespace gt

#endif  // CGOTORCH_KERNELS_GROUPNORM_GPU_H_
