// What the loops of thin products compute with.
#ifndef CGOTORCH_KERNELS_THIN_H_
#define CGOTORCH_KERNELS_THIN_H_

#include <stdint.h>

namespace gt {

// y = x w + b, of which x or y has few columns; they are float32, and the wide one
// may be bf16. w is float32, its rows as long as the wide one's.
struct Thin {
  int64_t rows, few, many;  // columns of the thin one and of the wide one
  bool half;                // the wide one is bf16
  bool act;                 // SiLU follows
  const void *x;
  const float *w;     // [few,many]
  const float *bias;  // of y's columns, or null
  void *y;
};

// A loop does rows begin to end.
using ThinLoop = void (*)(const Thin &, int64_t begin, int64_t end);
struct ThinLoops {
  ThinLoop widen, narrow;  // from few to many, without act from many to few
};

extern const ThinLoops thin_base, thin_avx2, thin_avx512, thin_avx512bf16;

}  // namespace gt

#endif  // CGOTORCH_KERNELS_THIN_H_
