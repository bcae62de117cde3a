// The arithmetic of an element, for whatever does it: F is float, or a vector
// of floats of the compiler's (vector.h). Loops and layouts are elsewhere, so
// that loops for another device can share this.
#ifndef CGOTORCH_KERNELS_ARITHMETIC_H_
#define CGOTORCH_KERNELS_ARITHMETIC_H_

#ifdef __CUDACC_RTC__
typedef int int32_t;
#else
#include <stdint.h>
#endif

// Internal to each file: the files are compiled for different processors, and
// the linker must not take one's code for another's.
#ifdef __CUDACC__
#define GT_INLINE __device__ __forceinline__
#else
#define GT_INLINE inline __attribute__((always_inline))
#endif
#define GT_FN static GT_INLINE

namespace {

// What cannot be written for numbers and vectors alike: a number's bits as an
// integer, and back; reciprocals; limits.
template <class F>
struct Bits;

template <>
struct Bits<float> {
#ifdef __CUDACC__
  static GT_INLINE int32_t of(float x) { return __float_as_int(x); }
  static GT_INLINE float number(int32_t i) { return __int_as_float(i); }
  // Within 2 ulp, in an instruction or two; 0 for x beyond 2^126.
  static GT_INLINE float reciprocal(float x) { return __fdividef(1.0f, x); }
#else
  static GT_INLINE int32_t of(float x) {
    int32_t i;
    __builtin_memcpy(&i, &x, sizeof i);
    return i;
  }
  static GT_INLINE float number(int32_t i) {
    float x;
    __builtin_memcpy(&x, &i, sizeof x);
    return x;
  }
  static GT_INLINE float reciprocal(float x) { return 1.0f / x; }
#endif
  // x limited to [low, high]; what is no number stays so.
  static GT_INLINE float limit(float x, float low, float high) {
    x = x < low ? low : x;
    return x > high ? high : x;
  }
};

}  // namespace

// e to the power x, within 2 ulp for x in [-86.5, 88]; x is limited to that.
// The polynomial is Cephes' expf: x = n ln 2 + r, |r| <= ln 2 / 2.
template <class F>
GT_FN F exp_of(F x) {
  x = Bits<F>::limit(x, -86.5f, 88.0f);
  const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  F shifted = x * 1.44269504f + magic;
  F n = shifted - magic;
  F r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  F p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  return Bits<F>::number(Bits<F>::of(p) + (Bits<F>::of(shifted) << 23));  // p * 2^n
}

template <class F>
GT_FN F sigmoid(F z) {
  return Bits<F>::reciprocal(1.0f + exp_of(-z));
}

// SiLU, and its derivative.
template <class F>
GT_FN F silu(F z) {
  return z * sigmoid(z);
}
template <class F>
GT_FN F silu_slope(F z) {
  F s = sigmoid(z);
  return s + s * z * (1.0f - s);
}

namespace {

// What a channel of a sample is normalised with. t is x - center.
template <class F>
struct Channel {
  F center;  // the group's mean, less what is added to the channel
  F scale;   // weight / standard deviation
  F bias;

  // The output for x.
  template <bool act>
  GT_INLINE F forward(F x) const {
    F z = (x - center) * scale + bias;
    if constexpr (act) return silu(z);
    return z;
  }
  // The gradient at the normalisation's output, from that at the activation's.
  template <bool act>
  GT_INLINE F backward(F t, F dy) const {
    if constexpr (act) return dy * silu_slope(t * scale + bias);
    return dy;
  }
  // The gradient at the input, from that at the normalisation's output. slope, level:
  // what the group's statistics take away.
  GT_INLINE F input(F t, F dz, F slope, F level) const { return scale * dz - t * slope - level; }
};

}  // namespace

#endif  // CGOTORCH_KERNELS_ARITHMETIC_H_
