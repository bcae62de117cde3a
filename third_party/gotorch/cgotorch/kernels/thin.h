// What the loops of thin products compute with.
#ifndef CGOTORCH_KERNELS_THIN_H_
#define CGOTORCH_KERNELS_THIN_H_

#include <stdint.h>

namespace gt {

// y = x w + b, of which x or y has few columns; they are float32, and the wide one
// may be bf16. w is float32, its rows as long as the wide one's.
struct Thin {
  static constexpr int64_t block =
      32;                   // rows; a block of a gradient stays in the first-level cache
  int64_t rows, few, many;  // columns of the thin one and of the wide one
  bool half;                // the wide one is bf16
  bool act;                 // SiLU follows
  const void *x;
  const float *w;     // [few,many]
  const float *bias;  // of y's columns, or null
  void *y;
  // Of the weight's gradient, for which x is the thin one.
  const void *wide;  // [rows,many]: dy of widen, x of narrow
  float *sums;  // [blocks,few+1,many]: x' d of each block, and d's own sum; without act without the
                // latter

  int64_t blocks() const { return (rows + block - 1) / block; }
  int64_t lines() const { return few + (act ? 1 : 0); }
};

// A loop does rows, or blocks, begin to end.
using ThinLoop = void (*)(const Thin &, int64_t begin, int64_t end);
struct ThinLoops {
  ThinLoop widen, narrow;  // from few to many, without act from many to few
  // The sums over rows of x' d, where d is the gradient at widen's product, dy
  // times SiLU's slope, if act, and else the wide one itself.
  ThinLoop weights;
};

extern const ThinLoops thin_base, thin_avx2, thin_avx512, thin_avx512bf16;

}  // namespace gt

#endif  // CGOTORCH_KERNELS_THIN_H_
