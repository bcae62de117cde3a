// What the loops of convolutions by Winograd's algorithm compute with.
#ifndef CGOTORCH_KERNELS_WINOGRAD_H_
#define CGOTORCH_KERNELS_WINOGRAD_H_

#include <stdint.h>

namespace gt {

// A convolution by 3x3 in steps of 1, padded by 1, of float32 with channels side
// by side; their numbers are multiples of 32.
struct Winograd {
  static constexpr int64_t side = 4;     // of a tile of the output
  static constexpr int64_t places = 36;  // of a tile of the input, 6x6
  static constexpr int64_t unit = 32;    // of channels
  int64_t samples, rows, columns, in, out;
  const float *x;     // [samples,rows,columns,in]
  const float *bias;  // [out] or null
  float *y;           // [samples,rows,columns,out]
  // The weights, and the distances between their outputs, inputs, rows and columns.
  const float *w;
  int64_t w_out, w_in, w_row, w_column;
  float *u;  // the weights as the products want them: [36,in,out] in an order of the loops' own
  // Tiles are done in so many blocks, and the outputs of a block in so many groups.
  int64_t blocks, groups;
  int64_t parts;  // and the inputs of w's gradient in so many
  // Of the weights' gradient, which is summed over chunks of tiles.
  const float *dy;  // [samples,rows,columns,out]
  float *dw;        // laid out as w
  float *v, *m;     // x and dy of a chunk, transformed: [36,chunk,in], [36,chunk,out]
  float *db;        // the sums of dy over each few tiles: [tiles / few,out]

  int64_t down() const { return (rows + side - 1) / side; }
  int64_t across() const { return (columns + side - 1) / side; }
  int64_t tiles() const { return samples * down() * across(); }
  // How far apart places lie: n numbers, and no power of 2, or all would fall into one line of
  // the cache.
  static constexpr int64_t apart(int64_t n) { return n + 16; }

  // How many tiles a block has at most: their transforms are to stay in the second-level
  // cache, and the weights, which do not, are to be used often.
  int64_t most() const { return in <= 64 ? 48 : 24; }
  int64_t begin(int64_t block) const { return block * tiles() / blocks; }
  // How many tiles a chunk has. It does not depend on the threads, so neither do the sums.
  static constexpr int64_t few = 8;
  int64_t fews() const { return (tiles() + few - 1) / few; }
  int64_t chunk() const {
    constexpr int64_t room = 1 << 20, least = 64;  // floats; tiles
    int64_t n = room / (places * (in + out)) / few * few;
    if (n < least) n = least;
    return n < fews() * few ? n : fews() * few;
  }
};

struct WinogradLoops {
  // w to u, for inputs begin to end; and u, which has w's gradient then, to dw.
  void (*transform)(const Winograd &, int64_t begin, int64_t end);
  void (*restore)(const Winograd &, int64_t begin, int64_t end);
  // Floats of memory that a thread needs for forward.
  int64_t (*scratch)(const Winograd &);
  // x and u to y, for groups begin to end, counted through all blocks.
  void (*forward)(const Winograd &, int64_t begin, int64_t end, float *scratch);
  // Of a chunk of n tiles that begins with tile `first`: x and dy of each few of them to v, m
  // and db, for fews begin to end of the chunk; and what these add to u, which has w's
  // gradient, for parts of inputs begin to end, counted through all places; of the first chunk
  // it need not be 0. zeros: [max(in,out)].
  void (*spread)(const Winograd &, int64_t first, int64_t n, int64_t begin, int64_t end,
                 const float *zeros);
  void (*add)(const Winograd &, int64_t first, int64_t n, int64_t begin, int64_t end);
};

extern const WinogradLoops winograd_base, winograd_avx2, winograd_avx512;

}  // namespace gt

#endif  // CGOTORCH_KERNELS_WINOGRAD_H_
