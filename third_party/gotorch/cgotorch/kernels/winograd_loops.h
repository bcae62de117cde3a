// Convolutions by 3x3 with 36 multiplications for 16 outputs instead of 144
// (Lavin and Gray 2015, F(4x4,3x3)). A tile of 4x4 outputs y is made from the 6x6
// inputs d below them and the 3x3 weights g:
//
//	y = A' [ (G g G') . (B' d B) ] A
//
// where the product of elements, for each of the 36 places a sum over channels, is
// a product of matrices over the tiles of a block, which stays in cache. Gradients
// at the input are such a convolution by the weights turned round; those of the
// weights are G' [ sum over tiles of (B' d B) (A dy A') ] G.
#include "product.h"
#include "vector.h"
#include "winograd.h"

namespace {
using gt::Winograd;
}

#include "winograd_transforms.h"

namespace {

constexpr int64_t side = Winograd::side, places = Winograd::places, few = Winograd::few;

// Where a tile's pixels lie; those outside have no place.
struct Tile {
  int64_t sample, row, column;  // of its first output

  Tile(const Winograd &o, int64_t n)
      : sample(n / (o.down() * o.across())),
        row(n / o.across() % o.down() * side),
        column(n % o.across() * side) {}

  // The index of a pixel relative to the first output, or -1.
  GT_INLINE int64_t pixel(const Winograd &o, int64_t r, int64_t c) const {
    r += row, c += column;
    if (r < 0 || r >= o.rows || c < 0 || c >= o.columns) return -1;
    return (sample * o.rows + r) * o.columns + c;
  }
};

// B' d B of tile n -> v: [36 places, so far apart][in].
void transform_input(const Winograd &o, int64_t n, float *v, int64_t apart, const float *zeros) {
  Tile tile(o, n);
  const float *at[places];
  for (int64_t i = 0; i < places; i++) {
    int64_t pixel = tile.pixel(o, i / 6 - 1, i % 6 - 1);
    at[i] = pixel < 0 ? zeros : o.x + pixel * o.in;
  }
  for (int64_t c = 0; c < o.in; c += width) {
    Floats d[places], t[places];
    for (int i = 0; i < places; i++) d[i] = load(at[i] + c);
    both_ways<6, 6>(d, t, inputs);
    for (int i = 0; i < places; i++) store(v + i * apart + c, t[i]);
  }
}

// A dy A' of tile n -> m: [36 places, so far apart], the panels of a tile so far apart.
// The sum of dy over the tile is added to db.
void transform_gradient(const Winograd &o, int64_t n, float *m, int64_t apart, int64_t panels_apart,
                        float *db, const float *zeros) {
  Tile tile(o, n);
  const float *at[side * side];
  for (int64_t i = 0; i < side * side; i++) {
    int64_t pixel = tile.pixel(o, i / side, i % side);
    at[i] = pixel < 0 ? zeros : o.dy + pixel * o.out;
  }
  for (int64_t c = 0; c < o.out; c += width) {
    Floats dy[side * side], t[places], sum = {};
    for (int i = 0; i < side * side; i++) dy[i] = load(at[i] + c), sum += dy[i];
    store(db + c, load(db + c) + sum);
    both_ways<4, 6>(dy, t, gradients);
    float *to = m + c / panel * panels_apart + c % panel;
    for (int i = 0; i < places; i++) store(to + i * apart, t[i]);
  }
}

// A' m A of tile n -> y's channels from `first` on. m: [36 places, so far apart][panel].
void transform_output(const Winograd &o, int64_t n, int64_t first, const float *from,
                      int64_t apart) {
  Tile tile(o, n);
  int64_t pixels[side * side];
  for (int64_t i = 0; i < side * side; i++) pixels[i] = tile.pixel(o, i / side, i % side);
  for (int64_t v = 0; v < panel; v += width) {
    Floats m[places], y[side * side];
    for (int i = 0; i < places; i++) m[i] = load(from + i * apart + v);
    both_ways<6, 4>(m, y, outputs);
    Floats shift = o.bias ? load(o.bias + first + v) : Floats{};
    for (int i = 0; i < side * side; i++)
      if (pixels[i] >= 0) store(o.y + pixels[i] * o.out + first + v, y[i] + shift);
  }
}

// Where the weights of an input channel to a panel of outputs begin.
GT_FN float *weights_at(const Winograd &o, int64_t place, int64_t first, int64_t input) {
  return o.u + place * Winograd::apart(o.in * o.out) + first * o.in + input * panel;
}

// A thread's memory of forward.
struct Scratch {
  int64_t apart, panels_apart;  // of places
  float *v, *m, *zeros;         // [36,block,in], [36,block,panel], [in]

  Scratch(const Winograd &o, float *p)
      : apart(Winograd::apart(o.most() * o.in)), panels_apart(Winograd::apart(o.most() * panel)) {
    v = p, m = v + places * apart, zeros = m + places * panels_apart;
  }
  int64_t floats(const Winograd &o) const { return places * (apart + panels_apart) + o.in; }
};

int64_t scratch(const Winograd &o) { return Scratch(o, nullptr).floats(o); }

void forward(const Winograd &o, int64_t begin, int64_t end, float *memory) {
  Scratch s(o, memory);
  __builtin_memset(s.zeros, 0, o.in * sizeof(float));
  const int64_t units = o.out / Winograd::unit;
  for (int64_t at = begin; at < end; at++) {
    const int64_t group = at % o.groups, start = o.begin(at / o.groups);
    const int64_t n = o.begin(at / o.groups + 1) - start, tiles = (n + 1) / 2 * 2;
    for (int64_t i = 0; i < n; i++) transform_input(o, start + i, s.v + i * o.in, s.apart, s.zeros);
    if (tiles > n)
      for (int64_t i = 0; i < places; i++)
        __builtin_memset(s.v + i * s.apart + n * o.in, 0, o.in * sizeof(float));
    const int64_t stop = (group + 1) * units / o.groups * Winograd::unit;
    for (int64_t first = group * units / o.groups * Winograd::unit; first < stop; first += panel) {
      for (int64_t i = 0; i < places; i++)
        product<false>(tiles, o.in, s.v + i * s.apart, o.in, 1, weights_at(o, i, first, 0),
                       s.m + i * s.panels_apart, panel);
      for (int64_t i = 0; i < n; i++)
        transform_output(o, start + i, first, s.m + i * panel, s.panels_apart);
    }
  }
}

void spread(const Winograd &o, int64_t first, int64_t n, int64_t begin, int64_t end,
            const float *zeros) {
  const int64_t chunk = o.chunk();
  for (int64_t k = begin; k < end; k++) {
    float *db = o.db + (first / few + k) * o.out;
    __builtin_memset(db, 0, o.out * sizeof(float));
    for (int64_t i = k * few; i < n && i < (k + 1) * few; i++) {
      transform_input(o, first + i, o.v + i * o.in, Winograd::apart(chunk * o.in), zeros);
      transform_gradient(o, first + i, o.m + i * panel, Winograd::apart(chunk * o.out),
                         chunk * panel, db, zeros);
    }
  }
}

void add(const Winograd &o, int64_t first, int64_t n, int64_t begin, int64_t end) {
  const int64_t chunk = o.chunk(), units = o.in / Winograd::unit;
  for (int64_t at = begin; at < end; at++) {
    const int64_t place = at / o.parts, part = at % o.parts;
    const int64_t input = part * units / o.parts * Winograd::unit;
    const int64_t rows = (part + 1) * units / o.parts * Winograd::unit - input;
    const float *v = o.v + place * Winograd::apart(chunk * o.in) + input,
                *m = o.m + place * Winograd::apart(chunk * o.out);
    for (int64_t c = 0; c < o.out; c += panel) {
      float *to = weights_at(o, place, c, input);
      if (first == 0)
        product<false>(rows, n, v, 1, o.in, m + c * chunk, to, panel);
      else
        product<true>(rows, n, v, 1, o.in, m + c * chunk, to, panel);
    }
  }
}

void transform(const Winograd &o, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; i++)
    for (int64_t k = 0; k < o.out; k += width) {
      Floats g[9], u[places];
      const float *from = o.w + i * o.w_in + k * o.w_out;
      for (int64_t p = 0; p < 9; p++)
        for (int64_t c = 0; c < width; c++)
          g[p][c] = from[c * o.w_out + p / 3 * o.w_row + p % 3 * o.w_column];
      both_ways<3, 6>(g, u, filters);
      for (int64_t p = 0; p < places; p++)
        store(weights_at(o, p, k / panel * panel, i) + k % panel, u[p]);
    }
}

void restore(const Winograd &o, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; i++)
    for (int64_t k = 0; k < o.out; k += width) {
      Floats g[9], u[places];
      for (int64_t p = 0; p < places; p++)
        u[p] = load(weights_at(o, p, k / panel * panel, i) + k % panel);
      both_ways<6, 3>(u, g, gathered);
      float *to = o.dw + i * o.w_in + k * o.w_out;
      for (int64_t p = 0; p < 9; p++)
        for (int64_t c = 0; c < width; c++)
          to[c * o.w_out + p / 3 * o.w_row + p % 3 * o.w_column] = g[p][c];
    }
}

constexpr gt::WinogradLoops all = {transform, restore, scratch, forward, spread, add};

}  // namespace
