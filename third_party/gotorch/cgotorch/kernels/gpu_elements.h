// What kernels for GPUs access of tensors whose columns lie side by side: one element, or as
// many as an access gets.
#ifndef CGOTORCH_KERNELS_GPU_ELEMENTS_H_
#define CGOTORCH_KERNELS_GPU_ELEMENTS_H_

#include "gpu/list.h"
#include "pch.h"

namespace gt {

inline bool aligned(const void *p) { return reinterpret_cast<uintptr_t>(p) % 16 == 0; }

struct GPUElements {
  int64_t count;  // of an access

  // Of float32 or bf16, in memory of its own.
  GPUElements(at::ScalarType type, int64_t columns)
      : count(type == at::kBFloat16 ? 8 : 4), half_(count == 8) {
    if (columns % count != 0) count = 1;
  }
  // as_it_lies: x is read where it is, not from a new copy.
  GPUElements(const at::Tensor &x, int64_t columns, bool as_it_lies = true)
      : GPUElements(x.scalar_type(), columns) {
    if (as_it_lies && !aligned(x.const_data_ptr())) count = 1;
  }
  // t as it is read with x.
  at::Tensor beside(const at::Tensor &t) const {
    return count == 1 || aligned(t.const_data_ptr()) ? t : t.clone();
  }
  // That of these elements, of a program whose first is given (GT_GPU_OF_ELEMENTS).
  GPUProgram of(GPUProgram first) const {
    return static_cast<GPUProgram>(static_cast<int>(first) + 2 * !half_ + (count == 1));
  }
  std::string of(const std::string &kernel) const {
    return kernel + (count > 1 ? half_ ? "_bf16x8" : "_f32x4" : half_ ? "_bf16" : "_f32");
  }

 private:
  bool half_;
};

}  // namespace gt

#endif  // CGOTORCH_KERNELS_GPU_ELEMENTS_H_
