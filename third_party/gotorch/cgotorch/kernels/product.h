// Products of blocks of matrices in float32, whose right operand lies in panels: as many
// columns as a step computes with, row after row. For loops: see kernels.h.
#ifndef CGOTORCH_KERNELS_PRODUCT_H_
#define CGOTORCH_KERNELS_PRODUCT_H_

#include "vector.h"

namespace {

constexpr int64_t panel = 2 * width;
constexpr int rows_at_once = width == 16 ? 12 : 6;  // as many sums as stay in registers

// c = a b, or c += a b. a: [R,n], its rows and columns so far apart, b: [n,panel], c: [R,panel],
// its rows so far apart.
template <int R, bool add>
GT_FN void rows_of_product(int64_t n, const float *a, int64_t a_row, int64_t a_column,
                           const float *b, float *c, int64_t c_row) {
  Floats sum[R][2] = {};
  for (int64_t k = 0; k < n; k++, a += a_column, b += panel) {
    Floats by[2] = {load(b), load(b + width)};
    for (int r = 0; r < R; r++)
      for (int v = 0; v < 2; v++) sum[r][v] += a[r * a_row] * by[v];
  }
  for (int r = 0; r < R; r++)
    for (int v = 0; v < 2; v++) {
      float *to = c + r * c_row + v * width;
      store(to, add ? load(to) + sum[r][v] : sum[r][v]);
    }
}

// The same of any even number of rows.
template <bool add>
GT_FN void product(int64_t rows, int64_t n, const float *a, int64_t a_row, int64_t a_column,
                   const float *b, float *c, int64_t c_row) {
  int64_t r = 0;
  for (; r + rows_at_once <= rows; r += rows_at_once)
    rows_of_product<rows_at_once, add>(n, a + r * a_row, a_row, a_column, b, c + r * c_row, c_row);
  for (; r + 4 <= rows; r += 4)
    rows_of_product<4, add>(n, a + r * a_row, a_row, a_column, b, c + r * c_row, c_row);
  for (; r + 2 <= rows; r += 2)
    rows_of_product<2, add>(n, a + r * a_row, a_row, a_column, b, c + r * c_row, c_row);
}

}  // namespace

#endif  // CGOTORCH_KERNELS_PRODUCT_H_
