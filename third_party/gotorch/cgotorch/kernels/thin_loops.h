// Thin products, for the processor that the including file is compiled for. A
// weight of few rows stays in the first-level cache, and a row of the wide operand
// is read or written once.
#include "thin.h"
#include "vector.h"

namespace {

using gt::Thin;

template <class T, bool act>
void widen_as(const Thin &o, int64_t begin, int64_t end) {
  for (int64_t row = begin; row < end; row++) {
    const float *x = (const float *)o.x + row * o.few;
    T *y = (T *)o.y + row * o.many;
    int64_t c = 0;
    for (; c + width <= o.many; c += width) {
      Floats z = o.bias ? load(o.bias + c) : Floats{};
      for (int64_t i = 0; i < o.few; i++) z += x[i] * load(o.w + i * o.many + c);
      if constexpr (act) z = silu(z);
      store(y + c, z);
    }
    if (int64_t n = o.many - c) {
      Floats z = o.bias ? load(o.bias + c, n) : Floats{};
      for (int64_t i = 0; i < o.few; i++) z += x[i] * load(o.w + i * o.many + c, n);
      if constexpr (act) z = silu(z);
      store(y + c, z, n);
    }
  }
}

template <class T>
void narrow_as(const Thin &o, int64_t begin, int64_t end) {
  constexpr int chains = 4;  // sums side by side, as each waits for itself
  for (int64_t row = begin; row < end; row++) {
    const T *x = (const T *)o.x + row * o.many;
    float *y = (float *)o.y + row * o.few;
    for (int64_t i = 0; i < o.few; i++) {
      const float *w = o.w + i * o.many;
      Floats s[chains] = {};
      int64_t c = 0;
      for (; c + chains * width <= o.many; c += chains * width)
        for (int k = 0; k < chains; k++) s[k] += load(x + c + k * width) * load(w + c + k * width);
      for (; c + width <= o.many; c += width) s[0] += load(x + c) * load(w + c);
      if (int64_t n = o.many - c) s[1] += load(x + c, n) * load(w + c, n);
      y[i] = sum((s[0] + s[1]) + (s[2] + s[3])) + (o.bias ? o.bias[i] : 0.0f);
    }
  }
}

void widen(const Thin &o, int64_t begin, int64_t end) {
  if (o.half)
    o.act ? widen_as<bf16, true>(o, begin, end) : widen_as<bf16, false>(o, begin, end);
  else
    o.act ? widen_as<float, true>(o, begin, end) : widen_as<float, false>(o, begin, end);
}

void narrow(const Thin &o, int64_t begin, int64_t end) {
  o.half ? narrow_as<bf16>(o, begin, end) : narrow_as<float>(o, begin, end);
}

}  // namespace
