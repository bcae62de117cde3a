// What kernels for a GPU are written with. NVRTC compiles them when a program runs, so
// that they include no header that it does not have; the stand-in for a GPU compiles
// the same text for the processor (check/standin/threads.h), and sees every access to
// memory that goes by read and write.
#ifndef CGOTORCH_KERNELS_GPU_DEVICE_CUH_
#define CGOTORCH_KERNELS_GPU_DEVICE_CUH_

#ifdef __CUDACC__
#define GT_UNROLL _Pragma("unroll")
#else
#include "threads.h"
#define GT_UNROLL
#endif

#include "kernels/arithmetic.h"
#include "kernels/gpu/operands.h"

#define GT_DEVICE static __device__ __forceinline__
// What list.h lists.
#define GT_GPU_KERNEL(program, kernel, operands, body, memory)   \
  extern "C" __global__ void __launch_bounds__(gt::gpu::threads) \
      kernel(const gt::gpu::operands o) {                        \
    __shared__ memory s;                                         \
    body(o, s);                                                  \
  }

namespace {

using gt::gpu::Nothing;
using gt::gpu::Numbers;
using gt::gpu::threads;

#ifdef __CUDACC__
template <class T>
GT_DEVICE T read(const T *p) {
  return *p;
}
template <class T>
GT_DEVICE void write(T *p, const T &v) {
  *p = v;
}
#endif

GT_DEVICE float high(unsigned bits) { return Bits<float>::number((int)(bits & 0xffff0000u)); }
GT_DEVICE float low(unsigned bits) { return Bits<float>::number((int)(bits << 16)); }

// To bf16, the nearest, halves to the even one: b in the high half.
GT_DEVICE unsigned halves(float a, float b) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  unsigned r;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(b), "f"(a));
  return r;
#else
  unsigned u[2] = {(unsigned)Bits<float>::of(a), (unsigned)Bits<float>::of(b)};
  for (unsigned &v : u) {
    bool number = (v & 0x7fffffffu) <= 0x7f800000u;
    v = number ? (v + 0x7fffu + ((v >> 16) & 1u)) >> 16 : 0x7fc0u;
  }
  return u[0] | u[1] << 16;
#endif
}

// Neighbouring elements as they lie in memory, of which one access gets count.
struct Bf16x8 {
  static constexpr int count = 8;
  using Raw = uint4;
  static GT_INLINE void widen(const Raw &r, float *v) {
    const unsigned w[4] = {r.x, r.y, r.z, r.w};
    for (int i = 0; i < 4; i++) v[2 * i] = low(w[i]), v[2 * i + 1] = high(w[i]);
  }
  static GT_INLINE Raw narrow(const float *v) {
    return {halves(v[0], v[1]), halves(v[2], v[3]), halves(v[4], v[5]), halves(v[6], v[7])};
  }
};
struct Bf16 {
  static constexpr int count = 1;
  using Raw = unsigned short;
  static GT_INLINE void widen(Raw r, float *v) { *v = low(r); }
  static GT_INLINE Raw narrow(const float *v) { return (Raw)halves(*v, 0); }
};
struct F32x4 {
  static constexpr int count = 4;
  using Raw = float4;
  static GT_INLINE void widen(const Raw &r, float *v) {
    v[0] = r.x, v[1] = r.y, v[2] = r.z, v[3] = r.w;
  }
  static GT_INLINE Raw narrow(const float *v) { return {v[0], v[1], v[2], v[3]}; }
};
struct F32 {
  static constexpr int count = 1;
  using Raw = float;
  static GT_INLINE void widen(Raw r, float *v) { *v = r; }
  static GT_INLINE Raw narrow(const float *v) { return *v; }
};

// The element i from p on.
template <class E>
GT_DEVICE float element(const void *p, long long i) {
  if constexpr (sizeof(typename E::Raw) / E::count == sizeof(float))
    return read((const float *)p + i);
  else
    return low(read((const unsigned short *)p + i));
}
GT_DEVICE float number(const Numbers &n, long long i, float none) {
  if (!n.at) return none;
  return n.half ? element<Bf16>(n.at, i) : element<F32>(n.at, i);
}

// What a block's threads combine values of type T in.
template <class T>
struct Gathering {
  T of[threads];
};

// Combines, for each of so many records, item(record, 0) to item(record, items - 1) by
// T's add, and calls done(record, T) with what is found. As many threads share a record
// as there are for each; in what order they add depends on the numbers of records and
// items alone. All threads of the block call it, with the same numbers, and may
// read what done wrote after a __syncthreads.
template <class T, class Item, class Done>
GT_DEVICE void gather(Gathering<T> &s, int records, int items, Item item, Done done) {
  int share = 1;
  while (2 * share * records <= threads && share < items) share *= 2;
  const int at = (int)threadIdx.x, of = at % share;
  for (int first = 0; first < records; first += threads / share) {
    const int record = first + at / share;
    T all = {};
    if (record < records)
      for (int i = of; i < items; i += share) all.add(item(record, i));
    for (int half = share / 2; half > 0; half /= 2) {
      s.of[at] = all;
      __syncthreads();
      if (of < half) all.add(s.of[at + half]);
      __syncthreads();
    }
    if (of == 0 && record < records) done(record, all);
  }
}

}  // namespace

#endif  // CGOTORCH_KERNELS_GPU_DEVICE_CUH_
