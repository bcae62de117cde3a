// What the loops of the gradients at convolutions' weights compute with.
#ifndef CGOTORCH_KERNELS_CONV_WEIGHTS_H_
#define CGOTORCH_KERNELS_CONV_WEIGHTS_H_

#include <stdint.h>

namespace gt {

struct ConvWeights {
  static constexpr int64_t group = 32;      // samples that are summed at once
  static constexpr int64_t unit = 32;       // channels that blocks are multiples of
  static constexpr int64_t most_rows = 64;  // of a chunk
  static constexpr int64_t most_taps = 8;   // of a kernel, one below the other

  int64_t samples, in, out;  // in and out: channels of x and dy
  int64_t height, width, out_height, out_width;
  int64_t taps_down, taps_across, stride, padding;
  const void *x;   // [samples,height,width,in], bf16
  const void *dy;  // [samples,out_height,out_width,out], bf16

  // How the work is cut. An item is a part of a block, done chunk by chunk. Rows of dy
  // and of x are counted through all groups of samples: row r of group g is
  // g * height + r.
  int64_t block_in, block_out;  // channels
  int64_t parts;                // of the rows of dy; each has sums of its own
  int64_t rows;                 // of dy in a chunk
  int64_t kept;                 // rows of x that are kept packed

  float *sums;  // [parts,blocks,block_out/32,block_in/32,taps,2,2,16,16]: out by in
  float *bias;  // [parts,all_out()], sums of dy; or null
  void *dw;     // [out,in,taps_down,taps_across], bf16
  bool last;    // dw lies in memory as [out,taps_down,taps_across,in]

  int64_t taps() const { return taps_down * taps_across; }
  int64_t blocks_in() const { return (in + block_in - 1) / block_in; }
  int64_t blocks_out() const { return (out + block_out - 1) / block_out; }
  int64_t blocks() const { return blocks_in() * blocks_out(); }
  int64_t all_out() const { return blocks_out() * block_out; }
  int64_t all_rows() const { return (samples + group - 1) / group * out_height; }
  // The row of its image that tap down sees from row u of dy; it may lie outside.
  int64_t seen(int64_t u, int64_t down) const { return u % out_height * stride - padding + down; }
  // The rows of x that row u of dy needs: from first, before end.
  int64_t first(int64_t u) const {
    int64_t r = seen(u, 0);
    return u / out_height * height + (r < 0 ? 0 : r);
  }
  int64_t end(int64_t u) const {
    int64_t r = seen(u, taps_down);
    return u / out_height * height + (r > height ? height : r);
  }
  // Elements.
  int64_t block_sums() const { return block_out * block_in * taps(); }
  int64_t packed_dy() const { return rows * out_width * group * block_out; }
  int64_t packed_x() const { return kept * width * group * block_in; }
};

struct ConvWeightsLoops {
  // Items begin to end -> sums and bias; scratch holds packed_dy() + packed_x() bf16.
  void (*multiply)(const ConvWeights &, int64_t begin, int64_t end, void *scratch);
  // Output channels begin to end: dw from the sums of all parts, in their order.
  void (*finish)(const ConvWeights &, int64_t begin, int64_t end);
};

extern const ConvWeightsLoops conv_weights_amx;

}  // namespace gt

#endif  // CGOTORCH_KERNELS_CONV_WEIGHTS_H_
