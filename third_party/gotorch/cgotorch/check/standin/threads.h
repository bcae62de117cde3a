// CUDA's language for the processor's compiler, so that the stand-in computes with the text
// that NVRTC compiles for a GPU (kernels/gpu). The threads of a block take turns, each until
// it waits for the others; blocks come one after another. As on a GPU
//   - what a block shares holds nothing when it begins: NaN;
//   - threads go on in no promised order: GOTORCH_STANDIN_ORDER may be "reversed" or
//     "shuffled", and what differs by that lacks a __syncthreads;
//   - an access beyond the operands, or of an address that is no multiple of its size,
//     fails, here always and with a message.
#ifndef CGOTORCH_STANDIN_THREADS_H_
#define CGOTORCH_STANDIN_THREADS_H_

#include <math.h>

#include <functional>

#include "kernels/launcher.h"
#include "standin.h"

namespace standin {

// Calls kernel for each thread of each block. spans: what it may access.
void run_threads(gt::Blocks blocks, uint32_t threads, const std::vector<Span> &spans,
                 const std::function<void()> &kernel);
// Whether that may be accessed; throws where not.
void check_access(const void *p, size_t size);
// Lets all threads of the block come to there.
void wait_for_block();

}  // namespace standin

struct Index {
  unsigned x, y, z;
};
extern Index threadIdx, blockIdx, blockDim, gridDim;

struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(16) float4 {
  float x, y, z, w;
};

#define __device__
#define __global__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(threads)
// In a section of its own, which can be filled as a whole.
#define __shared__ static __attribute__((section("block_shared")))
#define __syncthreads standin::wait_for_block

template <class T>
T read(const T *p) {
  standin::check_access(p, sizeof(T));
  return *p;
}
template <class T>
void write(T *p, const T &v) {
  standin::check_access(p, sizeof(T));
  *p = v;
}

#endif  // CGOTORCH_STANDIN_THREADS_H_
