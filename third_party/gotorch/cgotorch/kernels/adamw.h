// What the loops of AdamW compute with.
#ifndef CGOTORCH_KERNELS_ADAMW_H_
#define CGOTORCH_KERNELS_ADAMW_H_

#include <stdint.h>

namespace gt {

// A step, the same for all parameters.
struct AdamW {
  bool update;   // else only averages move
  float decay;   // 1 - lr weight_decay; 1: none
  float scale;   // by which gradients are divided; 1: none
  float first;   // 1 - beta1
  float second;  // 1 - beta2
  float beta2, eps;
  float rate;     // -lr / (1 - beta1^step)
  float correct;  // sqrt(1 - beta2^step)
  float weight;   // of the parameters in their averages
};

// A parameter and what belongs to it, n elements each in the same order.
struct AdamWOperands {
  int64_t n;
  float *param;
  float *grad, *exp_avg, *exp_avg_sq;  // null without a gradient
  float *average;                      // or null
  void *rounded;                       // the parameter in bf16, or null
};

// A gradient that is summed: to += parts, one after the other, or = their sum.
struct GradSum {
  static constexpr int most = 32;  // parts
  int64_t n;
  float *to;
  bool add;
  int parts;
  const void *part[most];
  bool half[most];  // bf16, else float32
};

// Numbers of which squares are summed.
struct Squares {
  static constexpr int64_t block = 4096;
  int64_t n;
  const float *p;
  float *sums;  // of each block
};

// A loop does elements begin to end; begin is a multiple of 16, and so is an end that is
// not the last.
struct AdamWLoops {
  static constexpr int64_t unit = 16;
  void (*step)(const AdamW &, const AdamWOperands &, int64_t begin, int64_t end);
  void (*round)(const AdamWOperands &, int64_t begin, int64_t end);
  void (*sum)(const GradSum &, int64_t begin, int64_t end);
  void (*squares)(const Squares &, int64_t begin, int64_t end);  // blocks
};

extern const AdamWLoops adamw_base, adamw_avx2, adamw_avx512, adamw_avx512bf16;

}  // namespace gt

#endif  // CGOTORCH_KERNELS_ADAMW_H_
