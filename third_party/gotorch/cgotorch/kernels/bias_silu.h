// What the loops of bias and activation compute with.
#ifndef CGOTORCH_KERNELS_BIAS_SILU_H_
#define CGOTORCH_KERNELS_BIAS_SILU_H_

#include <stdint.h>

#include "activation.h"

namespace gt {

struct BiasSilu {
  static constexpr int64_t block = 32;  // rows; what a thread does is counted in these
  int64_t rows, columns;
  Activation act;     // silu or gelu
  bool half;          // x, y, dy, dx are bf16, else float32
  const void *x;      // [rows,columns]
  const float *bias;  // [columns], or null: 0
  void *y;            // may be x
  // Of backward.
  const void *dy;
  void *dx;
  float *sums;  // [blocks,columns]: of dx, each over a block; or null

  int64_t blocks() const { return (rows + block - 1) / block; }
};

// A loop does blocks begin to end.
using BiasSiluLoop = void (*)(const BiasSilu &, int64_t begin, int64_t end);
struct BiasSiluLoops {
  BiasSiluLoop forward, backward;
};

extern const BiasSiluLoops bias_silu_base, bias_silu_avx2, bias_silu_avx512, bias_silu_avx512bf16;

}  // namespace gt

#endif  // CGOTORCH_KERNELS_BIAS_SILU_H_
