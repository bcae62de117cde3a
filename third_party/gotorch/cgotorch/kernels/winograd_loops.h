// Convolutions by 3x3 with 16 multiplications for 4 outputs instead of 36
// (Lavin and Gray 2015, F(2x2,3x3)). A tile of 2x2 outputs y is made from the 4x4
// inputs d below them and the 3x3 weights g:
//
//	y = A' [ (G g G') . (B' d B) ] A
//
// where the product of elements, for each of the 16 places a sum over channels, is
// a product of matrices over the tiles of a block, which stays in cache. Gradients
// at the input are such a convolution by the weights turned round; those of the
// weights are G' [ sum over tiles of (B' d B) (A dy A') ] G.
#include "vector.h"
#include "winograd.h"

namespace {

using gt::Winograd;

constexpr int64_t places = Winograd::places, block = Winograd::block;
constexpr int64_t panel = 2 * width;                // outputs that a product does at once
constexpr int rows_at_once = width == 16 ? 12 : 6;  // as many sums as stay in registers

// c += a b, or c = a b. a: [R,n], its rows and columns so far apart, b: [n,panel], c: [R,panel].
template <int R, bool add>
GT_FN void rows_of_product(int64_t n, const float *a, int64_t a_row, int64_t a_column,
                           const float *b, float *c) {
  Floats sum[R][2];
  for (int r = 0; r < R; r++)
    for (int v = 0; v < 2; v++) sum[r][v] = add ? load(c + r * panel + v * width) : Floats{};
  for (int64_t k = 0; k < n; k++, a += a_column, b += panel) {
    Floats by[2] = {load(b), load(b + width)};
    for (int r = 0; r < R; r++)
      for (int v = 0; v < 2; v++) sum[r][v] += a[r * a_row] * by[v];
  }
  for (int r = 0; r < R; r++)
    for (int v = 0; v < 2; v++) store(c + r * panel + v * width, sum[r][v]);
}

// The same of any even number of rows.
template <bool add>
GT_FN void product(int64_t rows, int64_t n, const float *a, int64_t a_row, int64_t a_column,
                   const float *b, float *c) {
  int64_t r = 0;
  for (; r + rows_at_once <= rows; r += rows_at_once)
    rows_of_product<rows_at_once, add>(n, a + r * a_row, a_row, a_column, b, c + r * panel);
  for (; r + 4 <= rows; r += 4)
    rows_of_product<4, add>(n, a + r * a_row, a_row, a_column, b, c + r * panel);
  for (; r + 2 <= rows; r += 2)
    rows_of_product<2, add>(n, a + r * a_row, a_row, a_column, b, c + r * panel);
}

// The transforms, of rows and then of columns. B' d:
GT_FN void inputs(const Floats *d, int64_t step, Floats *to) {
  to[0] = d[0] - d[2 * step];
  to[step] = d[step] + d[2 * step];
  to[2 * step] = d[2 * step] - d[step];
  to[3 * step] = d[step] - d[3 * step];
}
// A' m: of 4 numbers 2.
GT_FN void outputs(const Floats *m, int64_t step, Floats *to, int64_t to_step) {
  to[0] = m[0] + m[step] + m[2 * step];
  to[to_step] = m[step] - m[2 * step] - m[3 * step];
}
// A dy: of 2 numbers 4.
GT_FN void spread(const Floats *dy, int64_t step, Floats *to, int64_t to_step) {
  to[0] = dy[0];
  to[to_step] = dy[0] + dy[step];
  to[2 * to_step] = dy[0] - dy[step];
  to[3 * to_step] = -dy[step];
}
// G g: of 3 numbers 4.
GT_FN void filters(const Floats *g, int64_t step, Floats *to, int64_t to_step) {
  Floats ends = 0.5f * (g[0] + g[2 * step]), middle = 0.5f * g[step];
  to[0] = g[0];
  to[to_step] = ends + middle;
  to[2 * to_step] = ends - middle;
  to[3 * to_step] = g[2 * step];
}
// G' u: of 4 numbers 3.
GT_FN void gathered(const Floats *u, int64_t step, Floats *to, int64_t to_step) {
  Floats plus = 0.5f * (u[step] + u[2 * step]), minus = 0.5f * (u[step] - u[2 * step]);
  to[0] = u[0] + plus;
  to[to_step] = minus;
  to[2 * to_step] = plus + u[3 * step];
}

// Where a tile's pixels lie; those outside have no place.
struct Tile {
  int64_t sample, row, column;  // of its first output

  Tile(const Winograd &o, int64_t n)
      : sample(n / (o.down() * o.across())),
        row(n / o.across() % o.down() * 2),
        column(n % o.across() * 2) {}

  // The index of a pixel relative to the first output, or -1.
  GT_INLINE int64_t pixel(const Winograd &o, int64_t r, int64_t c) const {
    r += row, c += column;
    if (r < 0 || r >= o.rows || c < 0 || c >= o.columns) return -1;
    return (sample * o.rows + r) * o.columns + c;
  }
};

// A thread's memory.
struct Scratch {
  int64_t apart, panels_apart;  // of places; not all in one line of the cache
  float *v, *m, *zeros;         // [16,block,in], [16,block,panel], [max(in,out)]

  Scratch(const Winograd &o, float *p)
      : apart(block * o.in + 16), panels_apart(block * panel + 16) {
    v = p, m = v + places * apart, zeros = m + places * panels_apart;
  }
  static int64_t floats(const Winograd &o) {
    Scratch s(o, nullptr);
    return places * (s.apart + s.panels_apart) + (o.in > o.out ? o.in : o.out);
  }
};

int64_t scratch(const Winograd &o) { return Scratch::floats(o); }

// B' d B of tiles begin to end -> v.
void transform_inputs(const Winograd &o, int64_t begin, int64_t end, const Scratch &s) {
  for (int64_t n = begin; n < end; n++) {
    Tile tile(o, n);
    const float *at[places];
    for (int64_t i = 0; i < places; i++) {
      int64_t pixel = tile.pixel(o, i / 4 - 1, i % 4 - 1);
      at[i] = pixel < 0 ? s.zeros : o.x + pixel * o.in;
    }
    float *to = s.v + (n - begin) * o.in;
    for (int64_t c = 0; c < o.in; c += width) {
      Floats d[places], t[places];
      for (int i = 0; i < places; i++) d[i] = load(at[i] + c);
      for (int i = 0; i < 4; i++) inputs(d + i, 4, t + i);
      for (int i = 0; i < 4; i++) inputs(t + 4 * i, 1, d + 4 * i);
      for (int i = 0; i < places; i++) store(to + i * s.apart + c, d[i]);
    }
  }
}

// A' m A of tiles begin to end -> y's channels from `first` on.
void transform_outputs(const Winograd &o, int64_t begin, int64_t end, int64_t first,
                       const Scratch &s) {
  for (int64_t n = begin; n < end; n++) {
    Tile tile(o, n);
    const float *from = s.m + (n - begin) * panel;
    for (int64_t v = 0; v < panel; v += width) {
      Floats m[places], t[8], y[4];
      for (int i = 0; i < places; i++) m[i] = load(from + i * s.panels_apart + v);
      for (int i = 0; i < 4; i++) outputs(m + i, 4, t + i, 4);
      for (int i = 0; i < 2; i++) outputs(t + 4 * i, 1, y + 2 * i, 1);
      Floats shift = o.bias ? load(o.bias + first + v) : Floats{};
      for (int i = 0; i < 4; i++) {
        int64_t pixel = tile.pixel(o, i / 2, i % 2);
        if (pixel >= 0) store(o.y + pixel * o.out + first + v, y[i] + shift);
      }
    }
  }
}

// A dy A' of tiles begin to end -> m, of dy's channels from `first` on, which are added up in
// total.
void transform_gradients(const Winograd &o, int64_t begin, int64_t end, int64_t first,
                         const Scratch &s, Floats total[2]) {
  for (int64_t n = begin; n < end; n++) {
    Tile tile(o, n);
    float *to = s.m + (n - begin) * panel;
    for (int64_t v = 0; v < panel; v += width) {
      Floats dy[4], t[8], m[places];
      for (int i = 0; i < 4; i++) {
        int64_t pixel = tile.pixel(o, i / 2, i % 2);
        dy[i] = pixel < 0 ? Floats{} : load(o.dy + pixel * o.out + first + v);
      }
      total[v / width] += (dy[0] + dy[1]) + (dy[2] + dy[3]);
      for (int i = 0; i < 2; i++) spread(dy + i, 2, t + i, 2);
      for (int i = 0; i < 4; i++) spread(t + 2 * i, 1, m + 4 * i, 1);
      for (int i = 0; i < places; i++) store(to + i * s.panels_apart + v, m[i]);
    }
  }
}

void clear(const Winograd &o, const Scratch &s) {
  __builtin_memset(s.zeros, 0, (o.in > o.out ? o.in : o.out) * sizeof(float));
}

// Where the weights of an input channel to a panel of outputs begin.
GT_FN float *weights_at(const Winograd &o, float *u, int64_t place, int64_t first, int64_t input) {
  return u + (place * o.out + first) * o.in + input * panel;
}

void forward(const Winograd &o, int64_t begin, int64_t end, float *memory) {
  Scratch s(o, memory);
  clear(o, s);
  for (int64_t b = begin; b < end; b++) {
    int64_t start = b * block, stop = start + block < o.tiles() ? start + block : o.tiles();
    transform_inputs(o, start, stop, s);
    int64_t tiles = (stop - start + 1) / 2 * 2;
    if (tiles > stop - start)
      for (int64_t i = 0; i < places; i++)
        __builtin_memset(s.v + i * s.apart + (tiles - 1) * o.in, 0, o.in * sizeof(float));
    for (int64_t first = 0; first < o.out; first += panel) {
      for (int64_t i = 0; i < places; i++)
        product<false>(tiles, o.in, s.v + i * s.apart, o.in, 1, weights_at(o, o.u, i, first, 0),
                       s.m + i * s.panels_apart);
      transform_outputs(o, start, stop, first, s);
    }
  }
}

void weights(const Winograd &o, int64_t begin, int64_t end, float *memory, float *sums,
             bool of_bias) {
  Scratch s(o, memory);
  clear(o, s);
  for (int64_t b = begin; b < end; b++) {
    int64_t start = b * block, stop = start + block < o.tiles() ? start + block : o.tiles();
    transform_inputs(o, start, stop, s);
    for (int64_t first = 0; first < o.out; first += panel) {
      Floats total[2] = {};
      transform_gradients(o, start, stop, first, s, total);
      for (int64_t i = 0; i < places; i++)
        product<true>(o.in, stop - start, s.v + i * s.apart, 1, o.in, s.m + i * s.panels_apart,
                      weights_at(o, sums, i, first, 0));
      float *bias = sums + o.transformed() + first;
      if (of_bias)
        for (int64_t v = 0; v < 2; v++) store(bias + v * width, load(bias + v * width) + total[v]);
    }
  }
}

void transform(const Winograd &o, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; i++)
    for (int64_t k = 0; k < o.out; k += width) {
      Floats g[9], t[12], u[places];
      const float *from = o.w + i * o.w_in + k * o.w_out;
      for (int64_t p = 0; p < 9; p++)
        for (int64_t c = 0; c < width; c++)
          g[p][c] = from[c * o.w_out + p / 3 * o.w_row + p % 3 * o.w_column];
      for (int p = 0; p < 3; p++) filters(g + p, 3, t + p, 3);
      for (int p = 0; p < 4; p++) filters(t + 3 * p, 1, u + 4 * p, 1);
      for (int64_t p = 0; p < places; p++)
        store(weights_at(o, o.u, p, k / panel * panel, i) + k % panel, u[p]);
    }
}

void restore(const Winograd &o, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; i++)
    for (int64_t k = 0; k < o.out; k += width) {
      Floats g[9], t[12], u[places];
      for (int64_t p = 0; p < places; p++)
        u[p] = load(weights_at(o, o.u, p, k / panel * panel, i) + k % panel);
      for (int p = 0; p < 4; p++) gathered(u + p, 4, t + p, 4);
      for (int p = 0; p < 3; p++) gathered(t + 4 * p, 1, g + 3 * p, 1);
      float *to = o.dw + i * o.w_in + k * o.w_out;
      for (int64_t p = 0; p < 9; p++)
        for (int64_t c = 0; c < width; c++)
          to[c * o.w_out + p / 3 * o.w_row + p % 3 * o.w_column] = g[p][c];
    }
}

}  // namespace
