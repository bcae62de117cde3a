// What the loops of linear layers in bf16 compute with, by tiles of AMX.
#ifndef CGOTORCH_KERNELS_TILED_LINEAR_H_
#define CGOTORCH_KERNELS_TILED_LINEAR_H_

#include <stdint.h>

#include "activation.h"

namespace gt {

// z = x w' + bias, y = z activated, and backward. in and out are multiples of 32.
struct TiledLinear {
  static constexpr int64_t block = 32;  // rows
  int64_t rows, in, out;
  bool half;  // w is bf16, else float32
  Activation act;
  const void *x;      // [rows,in], bf16
  const void *w;      // [out,in]
  const float *bias;  // [out], or null
  void *y;            // [rows,out], bf16
  void *z;         // [rows,out], bf16, with an activation: forward leaves it where it is not null
  void *packed;    // w in bf16 as products want it
  const void *dy;  // [rows,out], bf16
  void *dz;        // [rows,out], bf16, with an activation: the slopes leave it
  void *dx;        // [rows,in], bf16
  const float *sums;    // [threads,in*out+out]: of each the gradient of w and then of bias
  const uint8_t *used;  // of each of the threads, whether it did anything
  int64_t threads;
  void *dw;   // [out,in], of w's type
  float *db;  // [out], or null

  bool activates() const { return act != Activation::none; }
  int64_t blocks() const { return (rows + block - 1) / block; }
  // The gradient of w is summed transposed where that leaves less to be transposed.
  bool turned() const { return in < out; }
  // Rows that backward packs at a time, so that they stay in the second-level cache.
  int64_t chunk() const {
    int64_t n = (1 << 18) / (in + out) / block * block;
    return n < 2 * block ? 2 * block : n > 512 ? 512 : n;
  }
  // Of memory that a thread works in, in bytes.
  int64_t scratch() const { return 2 * (chunk() + block) * (in + out) + (1 << 13); }
  // Numbers that a thread sums.
  int64_t sum_size() const { return in * out + out; }
};

struct TiledLinearLoops {
  // w as the right operand of forward's product, blocks of 16 outputs begin to end, and
  // of backward's, blocks of 16 inputs.
  void (*pack_forward)(const TiledLinear &, int64_t begin, int64_t end);
  void (*pack_backward)(const TiledLinear &, int64_t begin, int64_t end);
  // Blocks of rows.
  void (*forward)(const TiledLinear &, int64_t begin, int64_t end, void *scratch);
  // With an activation, dz; inputs does so, too.
  void (*slopes)(const TiledLinear &, int64_t begin, int64_t end);
  // dx from what is packed.
  void (*inputs)(const TiledLinear &, int64_t begin, int64_t end, void *scratch);
  // Sums of one thread, of blocks of rows.
  void (*weights)(const TiledLinear &, int64_t begin, int64_t end, void *scratch, float *sums);
  // dw and db from the threads' sums, blocks of 16 outputs.
  void (*total)(const TiledLinear &, int64_t begin, int64_t end);
};

extern const TiledLinearLoops tiled_linear_amx;

}  // namespace gt

#endif  // CGOTORCH_KERNELS_TILED_LINEAR_H_
