// What the loops of group normalisation compute with.
#ifndef CGOTORCH_KERNELS_GROUPNORM_H_
#define CGOTORCH_KERNELS_GROUPNORM_H_

#include <stdint.h>

namespace gt {

struct GroupNorm {
  int64_t samples, channels, groups, pixels;
  int64_t pieces;      // of a sample, of whole groups; each is computed by one thread
  bool half;           // x, y, dy, dx are bf16, else float32
  bool channels_last;  // they are [samples,pixels,channels], else [samples,channels,pixels]
  bool act;            // SiLU follows
  double eps;
  const void *x;
  const float *shift;          // [samples,channels], added to every pixel, or null
  const float *weight, *bias;  // [channels], or null: 1, 0
  float *mean, *rstd;          // [samples,groups]: written by forward, read by backward
  void *y;
  // Of backward. The sums over pixels of a sample stand for the gradients of
  // weight, bias and shift, which sum over samples what they are given.
  const void *dy;
  const void *rest;  // added to dx, of its layout: what comes by another way; or null
  void *dx;
  float *dweight, *dbias;  // [samples,channels]
  float *dshift;           // [samples,channels], or null
};

// A loop does pieces begin to end, counted through all samples.
using GroupNormLoop = void (*)(const GroupNorm &, int64_t begin, int64_t end);
struct GroupNormLoops {
  GroupNormLoop forward, backward;
};

extern const GroupNormLoops group_norm_base, group_norm_avx2, group_norm_avx512,
    group_norm_avx512bf16;

}  // namespace gt

#endif  // CGOTORCH_KERNELS_GROUPNORM_H_
