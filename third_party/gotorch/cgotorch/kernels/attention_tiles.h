// Attention of bf16 by tiles of AMX, forward and backward: attention_loops.h's
// formulas, transposed, so that a vector holds queries and a row is a key's. What
// belongs to a query (the greatest score, sums, D) is then a vector, too, and
// weights of neighbouring keys lie as the products want them. D is sum_c dO_ic O_ic
// (Dao et al. 2022), so that weights need exist for a block of keys only.
//
//	S' = K Q', O' = V' P'
//	dP' = V dO', dV = P' dO, dK = dS' Q, dQ' = K' dS'
//
// Squares of 32 keys and 32 queries are made and weighed one after the other: they
// stay in the first-level cache, and the processor goes on with the products of the
// next one while it weighs. Everything else that a head needs stays in the second.
//
// Scores are scaled after their greatest is subtracted: however large they are, none is
// above it then.
#include "tiles.h"

namespace {

constexpr float log2_e = 1.44269504f;

// A matrix of tokens, [rows,columns], filled up to whole squares, as an operand.
struct Tokens {
  int64_t rows, columns;

  // As it lies, from token t on, and its transpose.
  Left left(const bf16 *p, int64_t t) const {
    return {p + t * columns, columns, tile * columns, side};
  }
  // Its transpose as the right operand: tiles [rows/16,columns/32].
  Right turned(const bf16 *p, int64_t t) const {
    return {p + t * columns, tile * columns, tile_elements};
  }
  void turn(const bf16 *from, bf16 *to) const {
    for (int64_t t = 0; t < rows; t += tile)
      for (int64_t c = 0; c < columns; c += side, to += tile_elements)
        transpose_tile(from + t * columns + c, 2 * columns, to, 64);
  }
  // It as the right operand: tiles [columns/16,rows/32].
  Right paired(const bf16 *p, int64_t t, int64_t c) const {
    return {p + c * rows + t * tile, tile * rows, tile_elements};
  }
  void pair(const bf16 *from, bf16 *to) const {
    for (int64_t c = 0; c < columns; c += tile)
      for (int64_t t = 0; t < rows; t += side, to += tile_elements)
        pair_rows(from + t * columns + c, columns, to);
  }
  // Its transpose as the left operand: tiles [columns/16,rows/32], from what pair gives.
  Left turned_left(const bf16 *p, int64_t c, int64_t t) const {
    return {p + c * rows + t * tile, side, tile * rows, tile_elements};
  }
  void turn_left(bf16 *pairs) const {
    for (int64_t n = 0; n < rows * columns; n += tile_elements)
      transpose_tile(pairs + n, 64, pairs + n, 64);
  }
};

// 2 to the power x, off by 1e-4 of it at most, a twentieth of what rounding to bf16
// may be off by. What is no number stays so.
GT_FN Floats rough_exp2(Floats x) {
  Floats f = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  Floats p = f * 0.078024365f + 0.2260673f;
  p = p * f + 0.6958335f;
  p = p * f + 0.9999252f;
  return _mm512_scalef_ps(p, x);
}

// The size of equal blocks of rows, of which none has more than most.
GT_FN int64_t block_of(int64_t rows, int64_t most) {
  int64_t blocks = (rows + most - 1) / most;
  return padded((rows + blocks - 1) / blocks);
}

// The power of 2 that a score's exponential is, high subtracted from the score.
GT_FN Floats below(Floats score, Floats high, const Attention &o) {
  return (score - high) * (o.scale * log2_e);
}

// What both ways share.
struct Tiled {
  Pack<bf16> pack;
  Tokens all;
  float *spare;

  Tiled(const Attention &o, Arena &a) : pack(o), all{pack.rows, pack.columns} {
    spare = a.take<float>(all.columns * side);
  }

  // The tokens that 32 columns from t on are of: [columns,32], times by.
  void put(const float *block, int64_t t, float by, const Attention::Place &at, bf16 *p) const {
    int64_t n = pack.tokens - t < side ? pack.tokens - t : side;
    if (n <= 0) return;
    if (at.channel != 1) return pack.put_transposed(block, side, t, n, by, p, at);
    for (int64_t c = 0; c < all.columns; c += tile)
      for (int64_t q = 0; q < side; q += tile)
        transpose_tile(block + c * side + q, 4 * side, spare + q * all.columns + c,
                       4 * all.columns);
    pack.put(spare, t, n, by, p, at);
  }
};

struct TiledForward : Tiled {
  bf16 *rows, *k, *q, *v, *weights;
  float *scores, *out;

  int64_t keys;                           // whose weights are kept
  static constexpr float most = 0x1p60f;  // of a sum, far from what float32 ends at

  TiledForward(const Attention &o, Arena &a) : Tiled(o, a), keys(block_of(all.rows, 256)) {
    int64_t n = all.rows * all.columns;
    rows = a.take<bf16>(n), k = a.take<bf16>(n), q = a.take<bf16>(n), v = a.take<bf16>(n);
    weights = a.take<bf16>(keys * side);
    scores = a.take<float>(2 * side * side), out = a.take<float>(all.columns * side);
  }

  // What is known of 32 queries.
  struct Softmax {
    Floats high[2] = {splat(-__builtin_inff()), splat(-__builtin_inff())};  // what is subtracted
    Floats sum[2] = {};
  };

  void run(const Attention &o, int64_t i) {
    pack.by_rows(head<bf16>(o, o.x, i, 0), o.x, rows);
    all.turn(rows, q);
    pack.by_rows(head<bf16>(o, o.x, i, 1), o.x, k);
    pack.by_rows(head<bf16>(o, o.x, i, 2), o.x, rows);
    all.pair(rows, v);
    all.turn_left(v);
    for (int64_t t = 0; t < o.tokens; t += side) {
      Softmax state;
      for (int64_t s = 0; s < all.rows; s += keys) {
        int64_t m = s + keys < all.rows ? keys : all.rows - s;
        if (!weights_of(o, t, s, m, false, &state)) weights_of(o, t, s, m, true, &state);
        for (int64_t c = 0; c < all.columns; c += side)
          square(all.turned_left(v, c, s), {weights, tile_elements, 2 * tile_elements}, m / side,
                 out + c * side, side, s > 0);
      }
      for (int j = 0; j < 2; j++) {
        scale_out(1.0f / state.sum[j], j);
        int64_t n = o.tokens - t - j * width, at = i * o.tokens + t + j * width;
        for (int64_t c = 0; c < n && c < width; c++)
          o.high[at + c] = state.high[j][c], o.part[at + c] = 1.0f / state.sum[j][c];
      }
      put(out, t, 1.0f, o.y, head<bf16>(o, o.y, i, 0));
    }
  }

  // The weights of queries t on and keys s on, and their sums. What is subtracted from
  // scores changes only where weights become too large for sums; then false is returned:
  // it is to be done once more, with what was raised.
  bool weights_of(const Attention &o, int64_t t, int64_t s, int64_t m, bool raised,
                  Softmax *state) {
    const Softmax before = *state;
    // A square's products come before the weights of the square before it.
    auto product = [&](int64_t n) {
      float *to = scores + (n / side & 1) * side * side;
      square(all.left(k, s + n), all.turned(q, t), all.columns / side, to, side, false);
      return to;
    };
    const float *next = product(0);
    for (int64_t n = 0; n < m; n += side) {
      const float *from = next;
      int64_t real = o.tokens - s - n < side ? o.tokens - s - n : side;
      if (s + n == 0 && state->high[0][0] == -__builtin_inff())
        for (int j = 0; j < 2; j++) state->high[j] = highest(from + j * width, real);
      if (n + side < m) next = product(n + side);
      if (real == side)
        weigh<true>(o, from, side, weights + n * side, state);
      else
        weigh<false>(o, from, real, weights + n * side, state);
      for (int j = 0; j < 2 && !raised; j++) {
        if (!_mm512_cmp_ps_mask(state->sum[j], splat(most), _CMP_GT_OQ)) continue;
        Softmax high = *state;
        *state = before;
        if (s == 0) state->high[0] = high.high[0], state->high[1] = high.high[1];
        raise(o, t, s, m, state);
        return false;
      }
    }
    return true;
  }

  // What a column's scores are at most.
  static Floats highest(const float *from, int64_t real) {
    Floats high = load(from);
    for (int64_t r = 1; r < real; r++) high = _mm512_max_ps(high, load(from + r * side));
    return high;
  }

  // Subtracts from now on what makes the weights of keys s on 1 at most.
  void raise(const Attention &o, int64_t t, int64_t s, int64_t m, Softmax *state) {
    for (int64_t n = 0; n < m; n += side) {
      square(all.left(k, s + n), all.turned(q, t), all.columns / side, scores, side, false);
      int64_t real = o.tokens - s - n < side ? o.tokens - s - n : side;
      for (int j = 0; j < 2; j++) {
        Floats high = highest(scores + j * width, real);
        high = _mm512_max_ps(high, state->high[j]);
        Floats by = rough_exp2(below(state->high[j], high, o));
        state->high[j] = high;
        state->sum[j] *= by;
        if (s > 0) scale_out(by, j);
      }
    }
  }

  template <bool whole>
  GT_INLINE void weigh(const Attention &o, const float *from, int64_t real, bf16 *to,
                       Softmax *state) const {
    Floats high[2] = {state->high[0], state->high[1]}, sum[2] = {state->sum[0], state->sum[1]};
    for (int64_t r = 0; r < side; r += 2, from += 2 * side, to += side) {
      __m512i row[2] = {};
      for (int k = 0; k < 2; k++) {
        if (!whole && r + k >= real) continue;
        Floats e[2];
        for (int j = 0; j < 2; j++) {
          e[j] = rough_exp2(below(load(from + k * side + j * width), high[j], o));
          sum[j] += e[j];
        }
        row[k] = halved(e[0], e[1]);
      }
      for (int j = 0; j < 2; j++)
        _mm512_storeu_si512(to + j * tile_elements, side_by_side(row[0], row[1], j));
    }
    for (int j = 0; j < 2; j++) state->sum[j] = sum[j];
  }

  void scale_out(Floats by, int j) {
    for (int64_t c = 0; c < all.columns; c++) {
      float *x = out + c * side + j * width;
      store(x, load(x) * by);
    }
  }
};

struct TiledBackward : Tiled {
  bf16 *rows, *k, *k_turned, *v, *q_turned, *q_paired, *dy_turned, *dy_paired;
  bf16 *weights, *slopes, *slopes_right;
  float *scores, *products, *dq, *dk, *dv, *high, *part, *delta;

  int64_t keys, queries;  // of a block

  TiledBackward(const Attention &o, Arena &a)
      : Tiled(o, a), keys(block_of(all.rows, 256)), queries(keys) {
    int64_t n = all.rows * all.columns;
    bf16 **whole[] = {&rows, &k, &k_turned, &v, &q_turned, &q_paired, &dy_turned, &dy_paired};
    for (bf16 **p : whole) *p = a.take<bf16>(n);
    bf16 **of_block[] = {&weights, &slopes, &slopes_right};
    for (bf16 **p : of_block) *p = a.take<bf16>(keys * queries);
    scores = a.take<float>(2 * side * side), products = a.take<float>(2 * side * side);
    dq = a.take<float>(n), dk = a.take<float>(keys * all.columns);
    dv = a.take<float>(keys * all.columns);
    float **of_queries[] = {&high, &part, &delta};
    for (float **p : of_queries) *p = a.take<float>(all.rows);
  }

  void run(const Attention &o, int64_t i) {
    pack.by_rows(head<bf16>(o, o.x, i, 0), o.x, rows);
    all.turn(rows, q_turned);
    all.pair(rows, q_paired);
    pack.by_rows(head<bf16>(o, o.y, i, 0), o.y, v);
    all.turn(v, k_turned);
    pack.by_rows(head<bf16>(o, o.dy, i, 0), o.dy, rows);
    all.turn(rows, dy_turned);
    all.pair(rows, dy_paired);
    for (int64_t t = 0; t < all.rows; t += tile)
      store(delta + t, products_of(all.turned(dy_turned, t).p, all.turned(k_turned, t).p));
    for (int64_t t = 0; t < all.rows; t++) {
      bool real = t < o.tokens;
      high[t] = real ? o.high[i * o.tokens + t] : 0.0f;
      part[t] = real ? o.part[i * o.tokens + t] : 0.0f;
    }
    pack.by_rows(head<bf16>(o, o.x, i, 1), o.x, k);
    all.pair(k, k_turned);
    all.turn_left(k_turned);
    pack.by_rows(head<bf16>(o, o.x, i, 2), o.x, v);

    for (int64_t s = 0; s < all.rows; s += keys) {
      int64_t m = s + keys < all.rows ? keys : all.rows - s;
      for (int64_t t = 0; t < all.rows; t += queries) {
        int64_t n = t + queries < all.rows ? queries : all.rows - t;
        block(o, s, m, t, n);
        for (int64_t c = 0; c < all.columns; c += side) {
          for (int64_t r = 0; r < m; r += side) {
            Left p = {weights + r * queries, side, tile * queries, tile_elements};
            Left ds = {slopes + r * queries, side, tile * queries, tile_elements};
            float *to = dv + r * all.columns + c;
            square(p, all.paired(dy_paired, t, c), n / side, to, all.columns, t > 0);
            to = dk + r * all.columns + c;
            square(ds, all.paired(q_paired, t, c), n / side, to, all.columns, t > 0);
          }
          for (int64_t r = 0; r < n; r += side)
            square(all.turned_left(k_turned, c, s),
                   {slopes_right + r * keys, tile * keys, tile_elements}, m / side,
                   dq + (t + r) * all.columns + c * side, side, s > 0);
        }
      }
      pack.put(dk, s, m, o.scale, head<bf16>(o, o.dx, i, 1), o.dx);
      pack.put(dv, s, m, 1.0f, head<bf16>(o, o.dx, i, 2), o.dx);
    }
    for (int64_t t = 0; t < all.rows; t += side)
      put(dq + t * all.columns, t, o.scale, o.dx, head<bf16>(o, o.dx, i, 0));
  }

  // The products of 16 pairs of tokens, of which a and b are turned, summed as those
  // of tiles are: even and odd channels by themselves.
  Floats products_of(const bf16 *a, const bf16 *b) const {
    Floats all = {};
    for (int64_t c = 0; c < this->all.columns; c += side) {
      Floats even = {}, odd = {};
      for (int64_t k = 0; k < tile; k++, a += side, b += side) {
        Words u = (Words)_mm512_loadu_si512(a), v = (Words)_mm512_loadu_si512(b);
        even += (Floats)(u << 16) * (Floats)(v << 16);
        odd += (Floats)(u & 0xffff0000u) * (Floats)(v & 0xffff0000u);
      }
      all += even + odd;
    }
    return all;
  }

  // P' and dS' of keys s on and queries t on.
  void block(const Attention &o, int64_t s, int64_t m, int64_t t, int64_t n) {
    const int64_t across = n / side, squares = m / side * across;
    auto product = [&](int64_t at) {
      int64_t r = at / across * side, c = at % across * side, place = (at & 1) * side * side;
      square(all.left(k, s + r), all.turned(q_turned, t + c), all.columns / side, scores + place,
             side, false);
      square(all.left(v, s + r), all.turned(dy_turned, t + c), all.columns / side, products + place,
             side, false);
    };
    product(0);
    for (int64_t at = 0; at < squares; at++) {
      if (at + 1 < squares) product(at + 1);
      int64_t r = at / across * side, c = at % across * side, real = o.tokens - s - r;
      if (real >= side)
        slope<true>(o, at & 1, side, t + c, r, c);
      else
        slope<false>(o, at & 1, real, t + c, r, c);
    }
  }

  // Those of a square, in the place of the two; r and c: where it lies in the block.
  template <bool whole>
  GT_INLINE void slope(const Attention &o, int64_t place, int64_t real, int64_t t, int64_t r,
                       int64_t c) const {
    const float *z = scores + place * side * side, *dp = products + place * side * side;
    const Floats l[2] = {load(high + t), load(high + t + width)};
    const Floats by[2] = {load(part + t), load(part + t + width)};
    const Floats d[2] = {load(delta + t), load(delta + t + width)};
    for (int64_t row = 0; row < side; row += 2) {
      __m512i p[2] = {}, ds[2] = {};
      for (int k = 0; k < 2; k++) {
        if (whole || row + k < real) {
          Floats e[2], g[2];
          for (int j = 0; j < 2; j++) {
            int64_t at = (row + k) * side + j * width;
            e[j] = rough_exp2(below(load(z + at), l[j], o)) * by[j];
            g[j] = e[j] * (load(dp + at) - d[j]);
          }
          p[k] = halved(e[0], e[1]), ds[k] = halved(g[0], g[1]);
        }
        int64_t key = row + k;
        int64_t to = (r + key / tile * tile) * queries + c * tile + key % tile * side;
        _mm512_storeu_si512(weights + to, p[k]);
        _mm512_storeu_si512(slopes + to, ds[k]);
      }
      bf16 *to = slopes_right + c * keys + r * tile + row / 2 * side;
      for (int j = 0; j < 2; j++, to += tile * keys)
        _mm512_storeu_si512(to, side_by_side(ds[0], ds[1], j));
    }
  }
};

template <class Way>
void in_tiles(const Attention &o, int64_t begin, int64_t end, void *scratch) {
  Arena a{(char *)scratch};
  Way way(o, a);
  begin_tiles();
  for (int64_t i = begin; i < end; i++) way.run(o, i);
  end_tiles();
}

template <class InFloats, class InTiles>
void run_either(const Attention &o, int64_t begin, int64_t end, void *scratch) {
  if (o.half)
    in_tiles<InTiles>(o, begin, end, scratch);
  else
    run_as<float, InFloats>(o, begin, end, scratch);
}
int64_t scratch_of_either(const Attention &o) {
  return o.half ? most<TiledForward, TiledBackward>(o) : scratch(o);
}

}  // namespace
