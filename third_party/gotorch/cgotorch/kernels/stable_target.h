// What the loops of stable targets compute with.
#ifndef CGOTORCH_KERNELS_STABLE_TARGET_H_
#define CGOTORCH_KERNELS_STABLE_TARGET_H_

#include <stdint.h>

namespace gt {

struct StableTarget {
  int64_t points, dims;
  const float *x0;     // [points,dims]
  const float *x1;     // [dims,points]: the points' numbers of a dimension in a row
  const float *ratio;  // [points]
  float *away;         // [points,dims]
};

// A loop does points begin to end.
using StableTargetLoop = void (*)(const StableTarget &, int64_t begin, int64_t end);

extern const StableTargetLoop stable_target_base, stable_target_avx2, stable_target_avx512,
    stable_target_avx512bf16;

}  // namespace gt

#endif  // CGOTORCH_KERNELS_STABLE_TARGET_H_
