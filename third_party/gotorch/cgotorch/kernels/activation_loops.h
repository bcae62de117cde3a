// Activations and their derivatives, of a vector. For files that are compiled for a
// kind of processor.
#ifndef CGOTORCH_KERNELS_ACTIVATION_LOOPS_H_
#define CGOTORCH_KERNELS_ACTIVATION_LOOPS_H_

#include "activation.h"
#include "vector.h"

// z (1 + tanh(u)) / 2 with u = sqrt(2 / pi) (z + 0.044715 z^3) (Hendrycks and Gimpel 2016), of
// which (1 + tanh(u)) / 2 is sigmoid(2 u).
GT_FN Floats gelu_sigmoid(Floats z) { return sigmoid(z * (z * z * 0.0713548162f + 1.59576912f)); }
GT_FN Floats gelu(Floats z) { return z * gelu_sigmoid(z); }
GT_FN Floats gelu_slope(Floats z) {
  Floats s = gelu_sigmoid(z);
  return s + s * z * (1.0f - s) * (z * z * 0.2140644488f + 1.59576912f);
}

template <gt::Activation act>
GT_FN Floats activated(Floats z) {
  if constexpr (act == gt::Activation::silu) return silu(z);
  if constexpr (act == gt::Activation::gelu) return gelu(z);
  return z;
}
template <gt::Activation act>
GT_FN Floats activation_slope(Floats z) {
  static_assert(act != gt::Activation::none);
  if constexpr (act == gt::Activation::gelu) return gelu_slope(z);
  return silu_slope(z);
}

#endif  // CGOTORCH_KERNELS_ACTIVATION_LOOPS_H_
