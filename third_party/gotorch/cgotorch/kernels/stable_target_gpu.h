// Stable targets by a GPU's kernel (gpu/stable_target.cuh).
#ifndef CGOTORCH_KERNELS_STABLE_TARGET_GPU_H_
#define CGOTORCH_KERNELS_STABLE_TARGET_GPU_H_

#include "pch.h"

namespace gt {

// Whether there is a kernel on d for so many points and dimensions.
bool stable_target_on_gpu(c10::Device d, int64_t points, int64_t dims);
// As gt::stable_target, of float32 numbers without gaps.
at::Tensor stable_target_there(const at::Tensor &x0, const at::Tensor &x1, const at::Tensor &ratio);

}  // namespace gt

#endif  // CGOTORCH_KERNELS_STABLE_TARGET_GPU_H_
