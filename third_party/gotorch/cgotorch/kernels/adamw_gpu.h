// AdamW by a GPU's kernels (gpu/adamw.cuh).
#ifndef CGOTORCH_KERNELS_ADAMW_GPU_H_
#define CGOTORCH_KERNELS_ADAMW_GPU_H_

#include "adamw.h"
#include "pch.h"

namespace gt {

// A step, of which the device has what changes from one to the next (gpu::AdamWStep).
struct AdamWOnGPU {
  double beta1, beta2, eps, weight_decay;
  double max_norm;  // of the gradients together; 0: any
  const at::Tensor &loss, &rates, &weights, &next, &notes, &count;
};

// Whether there are kernels on d that take parameters of so many elements.
bool adamw_on_gpu(c10::Device d, const std::vector<at::Tensor> &params);
void step_on_gpu(const AdamWOnGPU &o, const std::vector<AdamWOperands> &all);

}  // namespace gt

#endif  // CGOTORCH_KERNELS_ADAMW_GPU_H_
