// Vectors of floats as wide as the processor that a file is compiled for has
// them, and float32 or bf16 elements in memory. For files that include nothing
// else: see kernels.h.
#ifndef CGOTORCH_KERNELS_VECTOR_H_
#define CGOTORCH_KERNELS_VECTOR_H_

#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "arithmetic.h"

#if defined(__AVX512F__)
#define GT_WIDTH 16
#elif defined(__AVX2__)
#define GT_WIDTH 8
#else
#define GT_WIDTH 4
#endif

namespace {

constexpr int width = GT_WIDTH;

typedef float Floats __attribute__((vector_size(4 * GT_WIDTH)));
typedef int32_t Ints __attribute__((vector_size(4 * GT_WIDTH)));
typedef uint32_t Words __attribute__((vector_size(4 * GT_WIDTH)));
typedef uint16_t Halves __attribute__((vector_size(2 * GT_WIDTH)));

template <>
struct Bits<Floats> {
  static GT_INLINE Ints of(Floats x) { return (Ints)x; }
  static GT_INLINE Floats number(Ints i) { return (Floats)i; }
  // Where a division takes as long as all else together: an estimate to 14 bits
  // and a step of Newton's, within 1 ulp.
  static GT_INLINE Floats reciprocal(Floats x) {
#if defined(__AVX512F__)
    Floats r = _mm512_rcp14_ps(x);
    return r + r * (1.0f - x * r);
#else
    return 1.0f / x;
#endif
  }
  // The compiler makes two instructions of each of these comparisons.
  static GT_INLINE Floats limit(Floats x, float low, float high) {
#if defined(__AVX512F__)
    return _mm512_min_ps(_mm512_set1_ps(high), _mm512_max_ps(_mm512_set1_ps(low), x));
#elif defined(__AVX2__)
    return _mm256_min_ps(_mm256_set1_ps(high), _mm256_max_ps(_mm256_set1_ps(low), x));
#else
    x = x < low ? Floats{} + low : x;
    return x > high ? Floats{} + high : x;
#endif
  }
};

struct bf16 {
  uint16_t bits;
};

}  // namespace

GT_FN Floats splat(float x) { return Floats{} + x; }

GT_FN Floats widened(Halves h) {
#if defined(__AVX512F__)
  return (Floats)((Words)_mm512_cvtepu16_epi32((__m256i)h) << 16);
#elif defined(__AVX2__)
  return (Floats)((Words)_mm256_cvtepu16_epi32((__m128i)h) << 16);
#else
  return (Floats)(__builtin_convertvector(h, Words) << 16);
#endif
}
// To the nearest, halves to the even one.
GT_FN Halves narrowed(Floats v) {
#ifdef __AVX512BF16__
  return (Halves)_mm512_cvtneps_pbh(v);
#else
  Words u = (Words)v;
  u = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  u = v == v ? u : Words{} + 0x7fc0u;
  return __builtin_convertvector(u, Halves);
#endif
}

GT_FN Floats load(const float *p) {
  Floats v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
GT_FN Floats load(const bf16 *p) {
  Halves h;
  __builtin_memcpy(&h, p, sizeof h);
  return widened(h);
}

GT_FN void store(float *p, Floats v) { __builtin_memcpy(p, &v, sizeof v); }
GT_FN void store(bf16 *p, Floats v) {
  Halves h = narrowed(v);
  __builtin_memcpy(p, &h, sizeof h);
}

// v as it is when it has been stored as T.
template <class T>
GT_FN Floats rounded(Floats v) {
  if constexpr (sizeof(T) == sizeof(float)) return v;
  return widened(narrowed(v));
}

// The first n elements, 0 < n < width; the others are 0.
template <class T>
GT_FN Floats load(const T *p, int64_t n) {
  T all[GT_WIDTH] = {};
  __builtin_memcpy(all, p, n * sizeof(T));
  return load(all);
}
template <class T>
GT_FN void store(T *p, Floats v, int64_t n) {
  T all[GT_WIDTH];
  store(all, v);
  __builtin_memcpy(p, all, n * sizeof(T));
}

// Calls body<part>(first column, number of columns) for the vectors of a row; part:
// it is not full.
template <class Body>
GT_FN void across(int64_t columns, Body body) {
  int64_t c = 0;
  for (; c + width <= columns; c += width) body.template operator()<false>(c, width);
  if (c < columns) body.template operator()<true>(c, columns - c);
}

// The vector there, of which part has the first n elements.
template <bool part, class T>
GT_FN Floats get(const T *p, int64_t n) {
  if constexpr (part) return load(p, n);
  return load(p);
}
template <bool part, class T>
GT_FN void put(T *p, Floats v, int64_t n) {
  if constexpr (part)
    store(p, v, n);
  else
    store(p, v);
}

GT_FN Ints lanes() {
  Ints i;
  for (int k = 0; k < width; k++) i[k] = k;
  return i;
}

// The first or the last n elements of v; the others are 0.
GT_FN Floats first(Floats v, int64_t n) {
  return (Floats)((Ints)v & (lanes() < (Ints{} + (int32_t)n)));
}
GT_FN Floats last(Floats v, int64_t n) {
  return (Floats)((Ints)v & (lanes() >= (Ints{} + (int32_t)(width - n))));
}

// v with lane i taken from lane i ^ k.
GT_FN Floats swapped(Floats v, int k) {
#ifdef __clang__
  Floats out;
  for (int i = 0; i < width; i++) out[i] = v[i ^ k];
  return out;
#else
  return __builtin_shuffle(v, lanes() ^ k);
#endif
}

// Pairs, then pairs of these: short rows have a sum for every few vectors.
GT_FN float sum(Floats v) {
  for (int k = width / 2; k > 0; k /= 2) v += swapped(v, k);
  return v[0];
}

GT_FN float number(const float *p) { return *p; }
GT_FN float number(const bf16 *p) {
  return Bits<float>::number((int32_t)((uint32_t)p->bits << 16));
}

#endif  // CGOTORCH_KERNELS_VECTOR_H_
