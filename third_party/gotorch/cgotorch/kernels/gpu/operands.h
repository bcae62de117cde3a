// What the kernels for a GPU are given, each one struct by value. Read by the host's
// compiler and by NVRTC, to both of which int has 32 bits and long long 64.
#ifndef CGOTORCH_KERNELS_GPU_OPERANDS_H_
#define CGOTORCH_KERNELS_GPU_OPERANDS_H_

namespace gt::gpu {

constexpr int threads = 256;  // of a block, in all kernels

// Of kernels that share no memory of a block's.
struct Nothing {};

// float32 numbers, or bf16, or none. row: from one row of them to the next.
struct Numbers {
  const void *at;
  int half, row;
};

// Blocks are counted [samples, chunks, tiles]: a chunk is so many pixels, a tile as many
// channels as a block's threads have side by side.
struct GroupNorm {
  int channels, groups, pixels;
  int chunk, chunks;  // pixels of a chunk (the last may have fewer), and how many there are
  int parts;          // of a group in partial: 1, or its channels where there are more tiles
  int act;            // SiLU follows
  float eps;
  const void *x;   // [samples,pixels,channels], as are y, dy and dx
  Numbers shift;   // [samples,channels], added to every pixel, or none
  Numbers weight;  // [channels], or none: 1
  Numbers bias;    // [channels], or none: 0
  // Of a chunk's part of a group: mean, and sum of squares about it.
  float *partial;  // [samples,chunks,groups,parts,2]
  // The mean is what is to be added to the first number of the group, its shift included:
  // so it is as exact as the numbers are where they lie far from 0.
  float *mean, *rstd;  // [samples,groups]
  void *y;
  // Of backward. t is the deviation from the mean, dz the gradient at the
  // normalisation's output.
  const void *dy;
  void *dx;
  float *sums;                      // of dz, dz t and t: [3,samples,chunks,channels]
  float *dweight, *dbias, *dshift;  // [samples,channels]; the last may be null
};

}  // namespace gt::gpu

#endif  // CGOTORCH_KERNELS_GPU_OPERANDS_H_
