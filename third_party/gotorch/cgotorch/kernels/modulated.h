// What the loops of the modulated normalisation compute with.
#ifndef CGOTORCH_KERNELS_MODULATED_H_
#define CGOTORCH_KERNELS_MODULATED_H_

#include <stdint.h>

namespace gt {

struct Modulated {
  static constexpr int64_t block =
      64;  // tokens of a sample; what a thread does is counted in these
  int64_t samples, tokens, width;
  bool wide_half;    // x, sum and their gradients are bf16, else float32
  bool narrow_half;  // branch, y and their gradients are bf16, else float32
  float eps;
  const void *x, *branch;             // [samples,tokens,width]; backward, x is what was the sum
  const float *gate, *shift, *scale;  // [samples,width]; branch and gate may be null
  void *sum, *y;                      // [samples,tokens,width]; sum: where there is a branch
  float *mean, *part;                 // [samples,tokens]: of a token, and 1 / its deviation
  // Of backward.
  const void *dsum, *dy;  // dsum may be null: 0
  void *dx, *dbranch;
  float *sums;  // [blocks,3,width]: of the gradients at gate, shift and scale, each over a block

  int64_t blocks_of_sample() const { return (tokens + block - 1) / block; }
  int64_t blocks() const { return samples * blocks_of_sample(); }
};

// A loop does blocks begin to end, counted through all samples, in scratch memory of its own of
// 2 (width + 64) numbers.
using ModulatedLoop = void (*)(const Modulated &, int64_t begin, int64_t end, float *scratch);
struct ModulatedLoops {
  ModulatedLoop forward, backward;
};

extern const ModulatedLoops modulated_base, modulated_avx2, modulated_avx512, modulated_avx512bf16;

}  // namespace gt

#endif  // CGOTORCH_KERNELS_MODULATED_H_
