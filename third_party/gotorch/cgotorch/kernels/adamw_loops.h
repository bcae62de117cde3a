// AdamW, the average of its parameters and their rounding to bf16 in one pass, for the
// processor that the including file is compiled for:
//
//	m += (1-beta1) (g - m), v = beta2 v + (1-beta2) g^2
//	p = (1 - lr weight_decay) p - lr/(1-beta1^t) m / (sqrt(v) / sqrt(1-beta2^t) + eps)
//	average += weight (p - average)
//
// The bits are those of libtorch's fused kernel and of its lerp. So each operation is
// rounded as theirs are: with a multiplication and addition in one where they have it,
// which at a row's end are others. These files are compiled without the compiler's own.
#include "adamw.h"
#include "vector.h"

namespace {

using gt::AdamW;
using gt::AdamWOperands;
using gt::GradSum;
using gt::Squares;

// a b + c; with one rounding where the processor has that.
GT_FN Floats multiply_add(Floats a, Floats b, Floats c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__FMA__)
  return _mm256_fmadd_ps(a, b, c);
#else
  return a * b + c;
#endif
}
GT_FN float multiply_add(float a, float b, float c) {
#if defined(__FMA__)
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}

GT_FN Floats root(Floats x) {
#if defined(__AVX512F__)
  return _mm512_sqrt_ps(x);
#elif defined(__AVX2__)
  return _mm256_sqrt_ps(x);
#else
  for (int i = 0; i < width; i++) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}
GT_FN float root(float x) { return __builtin_sqrtf(x); }

template <class F>
GT_FN F product(F a, F b) {
  return a * b;
}
template <class F>
GT_FN F same(float x) {
  return x - F{};  // -0 stays so
}

}  // namespace

#include "adamw_arithmetic.h"

namespace {

template <class F>
GT_FN F read(const float *p) {
  if constexpr (sizeof(F) == sizeof(float))
    return *p;
  else
    return load(p);
}
GT_FN void write(float *p, float x) { *p = x; }
GT_FN void write(float *p, Floats x) { store(p, x); }
GT_FN void write(bf16 *p, Floats x) { store(p, x); }
GT_FN void write(bf16 *p, float x) { store(p, splat(x), 1); }

// Element i, or the vector of them that begins there.
template <class F>
GT_FN void element(const AdamW &o, const AdamWOperands &t, int64_t i) {
  F p = read<F>(t.param + i);
  if (o.update && t.grad) {
    F g = read<F>(t.grad + i);
    if (o.scale != 1.0f) {
      g = g / same<F>(o.scale);
      write(t.grad + i, g);
    }
    F m = read<F>(t.exp_avg + i), v = read<F>(t.exp_avg_sq + i);
    adamw_step<sizeof(F) == sizeof(float)>(o, g, p, m, v);
    write(t.exp_avg + i, m);
    write(t.exp_avg_sq + i, v);
    write(t.param + i, p);
    if (t.rounded) write((bf16 *)t.rounded + i, p);
  }
  if (t.average) write(t.average + i, towards(read<F>(t.average + i), p, o.weight));
}

void step(const AdamW &o, const AdamWOperands &t, int64_t begin, int64_t end) {
  int64_t i = begin;
  for (; i + width <= end; i += width) element<Floats>(o, t, i);
  for (; i < end; i++) element<float>(o, t, i);
}

void round(const AdamWOperands &t, int64_t begin, int64_t end) {
  across(end - begin, [&]<bool part>(int64_t i, int64_t n) {
    put<part>((bf16 *)t.rounded + begin + i, get<part>(t.param + begin + i, n), n);
  });
}

void sum(const GradSum &s, int64_t begin, int64_t end) {
  across(end - begin, [&]<bool part>(int64_t i, int64_t n) {
    i += begin;
    Floats all = {};
    for (int k = 0; k < s.parts; k++) {
      Floats x = s.half[k] ? get<part>((const bf16 *)s.part[k] + i, n)
                           : get<part>((const float *)s.part[k] + i, n);
      all = k ? all + x : s.add ? get<part>(s.to + i, n) + x : x;
    }
    put<part>(s.to + i, all, n);
  });
}

// Four sums side by side, as each waits for itself.
void squares(const Squares &s, int64_t begin, int64_t end) {
  for (int64_t b = begin; b < end; b++) {
    const float *p = s.p + b * Squares::block;
    int64_t n = s.n - b * Squares::block, i = 0;
    if (n > Squares::block) n = Squares::block;
    Floats some[4] = {};
    for (; i + 4 * width <= n; i += 4 * width)
      for (int k = 0; k < 4; k++) {
        Floats x = load(p + i + k * width);
        some[k] += x * x;
      }
    across(n - i, [&]<bool part>(int64_t at, int64_t m) {
      Floats x = get<part>(p + i + at, m);
      some[0] += x * x;
    });
    s.sums[b] = ::sum((some[0] + some[1]) + (some[2] + some[3]));
  }
}

}  // namespace
