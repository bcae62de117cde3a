// What the loops of convolutions by Winograd's algorithm compute with.
#ifndef CGOTORCH_KERNELS_WINOGRAD_H_
#define CGOTORCH_KERNELS_WINOGRAD_H_

#include <stdint.h>

namespace gt {

// A convolution by 3x3 in steps of 1, padded by 1, of float32 with channels side
// by side; their numbers are multiples of 32.
struct Winograd {
  static constexpr int64_t places = 16;  // of a tile of the input, 4x4
  static constexpr int64_t block = 48;   // tiles that are done together
  int64_t samples, rows, columns, in, out;
  const float *x;     // [samples,rows,columns,in]
  const float *bias;  // [out] or null
  float *y;           // [samples,rows,columns,out]
  // The weights, and the distances between their outputs, inputs, rows and columns.
  const float *w;
  int64_t w_out, w_in, w_row, w_column;
  float *u;  // the weights as the products want them: [16,in,out] in an order of the loops' own
  // Of the weights' gradient.
  const float *dy;  // [samples,rows,columns,out]
  float *dw;        // laid out as w

  int64_t down() const { return (rows + 1) / 2; }
  int64_t across() const { return (columns + 1) / 2; }
  int64_t tiles() const { return samples * down() * across(); }
  int64_t blocks() const { return (tiles() + block - 1) / block; }
  int64_t transformed() const { return places * in * out; }
};

struct WinogradLoops {
  // Floats of memory that a thread needs for blocks.
  int64_t (*scratch)(const Winograd &);
  // w to u, for inputs begin to end; and u, which has w's gradient then, to dw.
  void (*transform)(const Winograd &, int64_t begin, int64_t end);
  void (*restore)(const Winograd &, int64_t begin, int64_t end);
  // x and u to y, for blocks begin to end.
  void (*forward)(const Winograd &, int64_t begin, int64_t end, float *scratch);
  // Adds to sums what x and dy of these blocks make of u's gradient, then, if of_bias,
  // of the bias': [16 in out + out].
  void (*weights)(const Winograd &, int64_t begin, int64_t end, float *scratch, float *sums,
                  bool of_bias);
};

extern const WinogradLoops winograd_base, winograd_avx2, winograd_avx512;

}  // namespace gt

#endif  // CGOTORCH_KERNELS_WINOGRAD_H_
