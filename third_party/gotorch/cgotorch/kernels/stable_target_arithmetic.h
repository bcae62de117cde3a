// The arithmetic of stable targets, for whatever does them: F is float, or a vector of floats
// of the compiler's.
#ifndef CGOTORCH_KERNELS_STABLE_TARGET_ARITHMETIC_H_
#define CGOTORCH_KERNELS_STABLE_TARGET_ARITHMETIC_H_

#include "kernels/arithmetic.h"

// |z|^2, of one dimension more; own, x0: of the point, other: of those that it is compared with.
template <class F>
GT_FN F stable_square(F squares, float own, F other, float ratio, float x0) {
  F z = (own - other) * ratio + x0;
  return squares + z * z;
}

// A weight, of those by which the nearest has 1.
template <class F>
GT_FN F stable_weight(float nearest, F square) {
  return exp_of((nearest - square) * 0.5f);
}

#endif  // CGOTORCH_KERNELS_STABLE_TARGET_ARITHMETIC_H_
