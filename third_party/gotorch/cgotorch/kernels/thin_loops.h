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

// Sums of the vectors of a column, one for each of the thin one's columns and, if act,
// one for d. Their number is known to the compiler where it is small, so that they
// stay in registers.
template <class T, bool act, int known>
void weights_as(const Thin &o, int64_t begin, int64_t end) {
  constexpr int most = known ? known : 8;
  const int64_t few = known ? known : o.few;
  for (int64_t block = begin; block < end; block++) {
    int64_t from = block * Thin::block, to = from + Thin::block;
    if (to > o.rows) to = o.rows;
    float *sums = o.sums + block * o.lines() * o.many;
    auto column = [&]<bool part>(int64_t c, int64_t n) {
      Floats w[most], s[most], whole = {}, bias = {};
      for (int64_t i = 0; i < few; i++) s[i] = Floats{};
      if constexpr (act) {
        for (int64_t i = 0; i < few; i++) w[i] = get<part>(o.w + i * o.many + c, n);
        if (o.bias) bias = get<part>(o.bias + c, n);
      }
      for (int64_t row = from; row < to; row++) {
        const float *x = (const float *)o.x + row * few;
        Floats d = get<part>((const T *)o.wide + row * o.many + c, n);
        if constexpr (act) {
          Floats z = bias;
          for (int64_t i = 0; i < few; i++) z += x[i] * w[i];
          d *= silu_slope(z);
          whole += d;
        }
        for (int64_t i = 0; i < few; i++) s[i] += x[i] * d;
      }
      for (int64_t i = 0; i < few; i++) put<part>(sums + i * o.many + c, s[i], n);
      if constexpr (act) put<part>(sums + few * o.many + c, whole, n);
    };
    across(o.many, column);
  }
}

template <class T, bool act>
void weights_of(const Thin &o, int64_t begin, int64_t end) {
  switch (o.few) {
    case 1:
      return weights_as<T, act, 1>(o, begin, end);
    case 2:
      return weights_as<T, act, 2>(o, begin, end);
    case 3:
      return weights_as<T, act, 3>(o, begin, end);
    default:
      return weights_as<T, act, 0>(o, begin, end);
  }
}

void weights(const Thin &o, int64_t begin, int64_t end) {
  if (o.half)
    o.act ? weights_of<bf16, true>(o, begin, end) : weights_of<bf16, false>(o, begin, end);
  else
    o.act ? weights_of<float, true>(o, begin, end) : weights_of<float, false>(o, begin, end);
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
