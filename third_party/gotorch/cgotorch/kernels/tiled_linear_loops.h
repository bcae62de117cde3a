// Linear layers in bf16 by tiles of AMX, forward and backward:
//
//	z = x w' + bias, y = act(z), dz = dy act'(z)
//	dx = dz w, dw = dz' x, dbias = sum dz over rows
//
// Activations cost little: what is no product is done while the processor multiplies.
// Rows are taken as they lie; w is packed once. For dw, of which rows are what is
// summed over, they are packed in chunks that stay in the second-level cache, one
// operand transposed in registers: the smaller one.
#include "activation_loops.h"
#include "tiled_linear.h"
#include "tiles.h"

namespace {

using gt::Activation;
using gt::TiledLinear;

// Calls body(first row, where the rows lie, how many there are) for blocks of rows of a
// matrix; those at its end are filled up with zeros in spare.
template <class Body>
GT_FN void rows_of(const TiledLinear &o, const void *matrix, int64_t columns, int64_t begin,
                   int64_t end, bf16 *spare, Body body) {
  for (int64_t r = begin * side; r < end * side; r += side) {
    const bf16 *p = (const bf16 *)matrix + r * columns;
    int64_t n = o.rows - r < side ? o.rows - r : side;
    if (n < side) {
      __builtin_memcpy(spare, p, n * columns * sizeof *p);
      __builtin_memset(spare + n * columns, 0, (side - n) * columns * sizeof *p);
      p = spare;
    }
    body(r, p, n);
  }
}

// 32 elements of w in row r from column c on, in bf16.
GT_FN __m512i weights_at(const TiledLinear &o, int64_t r, int64_t c) {
  if (o.half) return _mm512_loadu_si512((const bf16 *)o.w + r * o.in + c);
  const float *p = (const float *)o.w + r * o.in + c;
  return halved(load(p), load(p + width));
}

// w' as the right operand: tiles [out/16,in/32].
void pack_forward(const TiledLinear &o, int64_t begin, int64_t end) {
  bf16 *to = (bf16 *)o.packed + begin * tile * o.in;
  for (int64_t n = begin * tile; n < end * tile; n += tile)
    for (int64_t k = 0; k < o.in; k += side, to += tile_elements) {
      bf16 rows[tile_elements];
      for (int64_t r = 0; r < tile; r++)
        _mm512_storeu_si512(rows + r * side, weights_at(o, n + r, k));
      transpose_tile(rows, 64, to, 64);
    }
}

// w as the right operand: tiles [in/32,2,out/32].
void pack_backward(const TiledLinear &o, int64_t begin, int64_t end) {
  for (int64_t n = begin * side; n < end * side; n += side)
    for (int64_t k = 0; k < o.out; k += side) {
      bf16 *to = (bf16 *)o.packed + n * o.out + k * tile;
      for (int64_t r = 0; r < side; r += 2, to += side) {
        __m512i a = weights_at(o, k + r, n), b = weights_at(o, k + r + 1, n);
        for (int j = 0; j < 2; j++)
          _mm512_storeu_si512(to + j * tile * o.out, side_by_side(a, b, j));
      }
    }
}

// The product of a, [rows,k], and what is packed, n/16 columns of k/32 tiles. While the
// processor multiplies, row(r, j, from) takes of the square before 32 numbers of row r,
// from column j on, and next(r, step) does what is wanted for the block after that of row
// r; it is called for each step of all of the block's squares.
template <class Row, class Next>
GT_FN void multiply(const TiledLinear &o, const void *a, int64_t k, int64_t n, int64_t begin,
                    int64_t end, void *scratch, Row row, Next next) {
  float *squares = (float *)scratch;  // two
  bf16 *spare = (bf16 *)(squares + 2 * side * side);
  const bf16 *packed = (const bf16 *)o.packed;
  const int64_t steps = k / side, each = (side + steps - 1) / steps;
  const float *last = nullptr;  // the square before, and where it belongs
  int64_t last_row = 0, last_column = 0, rows = 0;
  auto finish = [&](int64_t i, int64_t to) {
    for (to = to < rows ? to : rows; i < to; i++) row(last_row + i, last_column, last + i * side);
  };
  int turn = 0;
  rows_of(o, a, k, begin, end, spare, [&](int64_t r, const bf16 *p, int64_t real) {
    for (int64_t j = 0; j < n; j += side, turn ^= 1) {
      float *to = squares + turn * side * side;
      square({p, k, tile * k, side}, {packed + j * k, tile * k, tile_elements}, steps, to, side,
             false, [&](int64_t step) {
               finish(step * each, (step + 1) * each);
               next(r, j / side * steps + step);
             });
      last = to, last_row = r, last_column = j, rows = real;
    }
  });
  finish(0, side);
}

void forward(const TiledLinear &o, int64_t begin, int64_t end, void *scratch) {
  auto row = [&](int64_t r, int64_t j, const float *from) {
    Floats z[2] = {load(from), load(from + width)};
    if (o.bias) z[0] += load(o.bias + j), z[1] += load(o.bias + j + width);
    const int64_t at = r * o.out + j;
    if (o.z) _mm512_storeu_si512((bf16 *)o.z + at, halved(z[0], z[1]));
    if (o.act == Activation::silu) z[0] = silu(z[0]), z[1] = silu(z[1]);
    if (o.act == Activation::gelu) z[0] = gelu(z[0]), z[1] = gelu(z[1]);
    _mm512_storeu_si512((bf16 *)o.y + at, halved(z[0], z[1]));
  };
  begin_tiles();
  multiply(o, o.x, o.in, o.out, begin, end, scratch, row, [](int64_t, int64_t) {});
  end_tiles();
}

// dz of elements begin to end, multiples of 32.
template <Activation act>
GT_FN void slope_of(const TiledLinear &o, int64_t begin, int64_t end) {
  const bf16 *z = (const bf16 *)o.z, *dy = (const bf16 *)o.dy;
  for (int64_t i = begin; i < end; i += side) {
    Floats d[2];
    for (int64_t j = 0; j < 2; j++)
      d[j] = load(dy + i + j * width) * activation_slope<act>(load(z + i + j * width));
    _mm512_storeu_si512((bf16 *)o.dz + i, halved(d[0], d[1]));
  }
}

GT_FN void slope(const TiledLinear &o, int64_t begin, int64_t end) {
  if (o.act == Activation::gelu)
    slope_of<Activation::gelu>(o, begin, end);
  else
    slope_of<Activation::silu>(o, begin, end);
}

void slopes(const TiledLinear &o, int64_t begin, int64_t end) {
  int64_t last = end * side < o.rows ? end * side : o.rows;
  slope(o, begin * side * o.out, last * o.out);
}

void inputs(const TiledLinear &o, int64_t begin, int64_t end, void *scratch) {
  auto row = [&](int64_t r, int64_t j, const float *from) {
    _mm512_storeu_si512((bf16 *)o.dx + r * o.in + j, halved(load(from), load(from + width)));
  };
  begin_tiles();
  if (!o.activates()) {
    multiply(o, o.dy, o.out, o.in, begin, end, scratch, row, [](int64_t, int64_t) {});
  } else {
    slopes(o, begin, begin + 1);
    // Of the next block, in as many parts as this one's product has steps.
    const int64_t all = side * o.out, steps = o.in / side * (o.out / side);
    const int64_t each = ((all + steps - 1) / steps + side - 1) / side * side;
    const int64_t last = (end * side < o.rows ? end * side : o.rows) * o.out;
    multiply(o, o.dz, o.out, o.in, begin, end, scratch, row, [&](int64_t r, int64_t step) {
      int64_t from = step * each < all ? step * each : all,
              to = from + each < all ? from + each : all;
      from += (r + side) * o.out, to += (r + side) * o.out;
      slope(o, from, to < last ? to : last);
    });
  }
  end_tiles();
}

// Blocks of rows as the right operand: tiles [columns/16,chunk/32].
void pair(const TiledLinear &o, const void *matrix, int64_t columns, int64_t begin, int64_t end,
          bf16 *spare, bf16 *to) {
  const int64_t apart = o.chunk() * tile;
  rows_of(o, matrix, columns, begin, end, spare, [&](int64_t, const bf16 *p, int64_t) {
    for (int64_t c = 0; c < columns; c += tile) pair_rows(p + c, columns, to + c / tile * apart);
    to += tile_elements;
  });
}

void weights(const TiledLinear &o, int64_t begin, int64_t end, void *scratch, float *sums) {
  const bool turned = o.turned();
  const void *dz = o.activates() ? o.dz : o.dy;
  const int64_t m = turned ? o.in : o.out, n = turned ? o.out : o.in, chunk = o.chunk();
  bf16 *left = (bf16 *)scratch, *right = left + m * chunk, *spare = right + n * chunk;
  float *bias = sums + m * n;
  __builtin_memset(bias, 0, o.out * sizeof *bias);
  begin_tiles();
  for (int64_t b = begin; b < end; b += chunk / side) {
    int64_t to = b + chunk / side < end ? b + chunk / side : end, steps = to - b;
    pair(o, turned ? o.x : dz, m, b, to, spare, left);
    for (int64_t i = 0; i < m; i += tile)
      for (int64_t k = 0; k < steps; k++) {
        bf16 *p = left + i * chunk + k * tile_elements;
        transpose_tile(p, 64, p, 64);
      }
    pair(o, turned ? dz : o.x, n, b, to, spare, right);
    for (int64_t i = 0; i < m; i += side)
      for (int64_t j = 0; j < n; j += side)
        square({left + i * chunk, side, tile * chunk, tile_elements},
               {right + j * chunk, tile * chunk, tile_elements}, steps, sums + i * n + j, n,
               b > begin);
    if (!o.db) continue;
    int64_t last = to * side < o.rows ? to * side : o.rows;
    for (int64_t c = 0; c < o.out; c += side) {
      Floats s[2] = {load(bias + c), load(bias + c + width)};
      for (int64_t r = b * side; r < last; r++) {
        const bf16 *p = (const bf16 *)dz + r * o.out + c;
        s[0] += load(p), s[1] += load(p + width);
      }
      store(bias + c, s[0]), store(bias + c + width, s[1]);
    }
  }
  end_tiles();
}

template <class T>
void total_as(const TiledLinear &o, int64_t begin, int64_t end) {
  auto sum = [&](int64_t at) {
    Floats s = {};
    for (int64_t i = 0; i < o.threads; i++)
      if (o.used[i]) s += load(o.sums + i * o.sum_size() + at);
    return s;
  };
  for (int64_t r = begin * tile; r < end * tile; r += tile) {
    T *to = (T *)o.dw + r * o.in;
    for (int64_t c = 0; c < o.in; c += tile) {
      float square[tile * tile];
      for (int64_t k = 0; k < tile; k++)
        store(square + k * tile, sum(o.turned() ? (c + k) * o.out + r : (r + k) * o.in + c));
      if (o.turned()) transpose_tile(square, 64, square, 64);
      for (int64_t k = 0; k < tile; k++) store(to + k * o.in + c, load(square + k * tile));
    }
    if (o.db) store(o.db + r, sum(o.in * o.out + r));
  }
}

void total(const TiledLinear &o, int64_t begin, int64_t end) {
  o.half ? total_as<bf16>(o, begin, end) : total_as<float>(o, begin, end);
}

}  // namespace
