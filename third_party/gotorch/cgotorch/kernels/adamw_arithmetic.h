// AdamW of an element, and its average, for whatever does it: F is float, or a vector of floats
// of the compiler's. What includes it has, of F,
//
//	multiply_add(a, b, c)  a b + c, in one rounding where there is that
//	product(a, b)          a b, rounded
//	root(x), same<F>(number)
#ifndef CGOTORCH_KERNELS_ADAMW_ARITHMETIC_H_
#define CGOTORCH_KERNELS_ADAMW_ARITHMETIC_H_

#include "kernels/arithmetic.h"

namespace {

// from + weight (to - from), from the nearer end.
template <class F>
GT_FN F towards(F from, F to, float weight) {
  F way = to - from;
  return weight < 0.5f && weight > -0.5f ? multiply_add(same<F>(weight), way, from)
                                         : multiply_add(same<F>(weight - 1.0f), way, to);
}

// What a step makes of a parameter p with gradient g and its moments m and v. o: the step's
// numbers (gt::AdamW). end: the bits are those of a row's end.
template <bool end, class F, class O>
GT_FN void adamw_step(const O &o, F g, F &p, F &m, F &v) {
  if (o.decay != 1.0f) p = product(p, same<F>(o.decay));
  m = towards(m, g, o.first);
  const F part = product(same<F>(o.second), g);
  if constexpr (end)
    v = multiply_add(v, same<F>(o.beta2), product(part, g));
  else
    v = multiply_add(part, g, product(v, same<F>(o.beta2)));
  p = p + product(same<F>(o.rate), m) / (root(v) / same<F>(o.correct) + same<F>(o.eps));
}

}  // namespace

#endif  // CGOTORCH_KERNELS_ADAMW_ARITHMETIC_H_
