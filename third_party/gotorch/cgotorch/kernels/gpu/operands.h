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
  const void *rest;  // added to dx: what comes by another way; or null
  void *dx;
  float *sums;                      // of dz, dz t and t: [3,samples,chunks,channels]
  float *dweight, *dbias, *dshift;  // [samples,channels]; the last may be null
};

// Blocks are counted [chunks, tiles]: a chunk is so many rows, a tile as many columns as a
// block's threads have side by side.
struct BiasSilu {
  long long rows;
  long long chunk;  // rows of a chunk; the last may have fewer
  int columns;
  int tile;        // accesses
  const void *x;   // [rows,columns], as are y, dy and dx
  Numbers bias;    // [columns], or none: 0
  void *y;         // may be x
  const void *dy;  // of backward
  void *dx;
  float *sums;  // of dx: [chunks,columns], or none
};

// AdamW, the parameters' average and their roundings, of many parameters at once. Their table is
// part of the operands, as of libtorch's own such kernels: a graph holds it, and nothing
// has to be copied to the device. A GPU since Volta takes 32,764 bytes of them, in CUDA since 12.1.
struct AdamWParameter {
  float *param;
  float *grad, *exp_avg, *exp_avg_sq;  // null without a gradient
  float *average;                      // or null
  void *rounded;                       // the parameter in bf16, or null
  int n, first;                        // elements; the block that begins with them
};

// The numbers of a step, as gt::AdamW has them.
struct AdamWNumbers {
  float update;  // 0: only averages move
  float decay, scale, first, second, beta2, eps, rate, correct, weight;
};

struct AdamW {
  static constexpr int most = 580, share = 2048;  // parameters; elements of a block

  int parameters, before;  // blocks of the parameters of launches before
  float *squares;          // [blocks of all launches]: of the gradients, summed by a block
  AdamWNumbers *numbers;
  AdamWParameter of[most];
};
static_assert(sizeof(AdamW) <= 32764);

// What the numbers are made of. One block.
struct AdamWStep {
  const float *squares;
  int blocks;
  float inverse;  // of the most that the gradients' common norm may be, or 0
  double beta1, beta2, eps, weight_decay;
  const float *loss;             // of the step
  const float *rates, *weights;  // [steps]: learning rates, and the parameters' weights in averages
  long long *next;               // which of the steps this is; is moved on
  float *notes;                  // [2,steps]: of the step, the loss and the gradients' norm
  long long steps;
  float *count;  // of updates done
  AdamWNumbers *numbers;
};

// Stable targets. A block for each point.
struct StableTarget {
  int points, dims;
  const float *x0, *x1;  // [points,dims]
  const float *ratio;    // [points]
  float *away;           // [points,dims]
};

}  // namespace gt::gpu

#endif  // CGOTORCH_KERNELS_GPU_OPERANDS_H_
