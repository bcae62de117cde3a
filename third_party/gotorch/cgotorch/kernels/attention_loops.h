// Attention, forward and backward, for the processor that the including file is
// compiled for. For each sample and head, of T tokens:
//
//	S = scale Q K', L_i = log sum_j exp(S_ij), P = exp(S - L), O = P V
//	dV = P' dO, dP = dO V', dS = scale P (dP - D), D_i = sum_c dO_ic O_ic
//	dQ = dS K, dK = dS' Q
//
// (Dao et al. 2022.) Scores exist for a block of queries at a time, backward for
// a block of keys, too; they stay in the second-level cache. Products are of bf16
// where the processor has tiles of them, and else in float32; all sums are in
// float32. A head is computed by one thread, so nothing depends on their number.
#include "attention.h"
#include "vector.h"

namespace {
using gt::Attention;
}

#include "attention_pack.h"
#include "attention_product.h"

namespace {

constexpr int64_t queries = 64, keys = 256;  // of a block

// Memory that is given out piece by piece.
struct Arena {
  char *at;

  template <class E>
  E *take(int64_t n) {
    E *p = (E *)at;
    at += (n * (int64_t)sizeof(E) + 63) / 64 * 64;
    return p;
  }
};

template <class T>
T *head(const Attention &o, const Attention::Place &place, int64_t i, int64_t part) {
  return (T *)place.p + i / o.heads * place.sample + i % o.heads * place.head + part * place.part;
}

GT_FN float greatest(Floats v) {
  for (int k = width / 2; k > 0; k /= 2) {
    Floats w = swapped(v, k);
    v = v > w ? v : w;
  }
  return v[0];
}

template <class Core>
struct Forward {
  using E = typename Core::Element;
  Pack<Core> pack;
  E *rows, *q, *k, *v, *weights;
  float *scores, *out, *turned;

  Forward(const Attention &o, Arena &a) : pack(o) {
    int64_t all = pack.rows * pack.columns;
    q = a.take<E>(all), rows = a.take<E>(all), v = a.take<E>(all);
    k = a.take<E>(pack.far * pack.columns);
    scores = a.take<float>(queries * pack.far), weights = a.take<E>(queries * pack.far);
    out = a.take<float>(queries * pack.columns);
    turned = a.take<float>(pack.far * pack.columns);
  }

  template <class T>
  void run(const Attention &o, int64_t i) {
    pack.by_rows(head<T>(o, o.x, i, 0), o.x, q);
    pack.by_rows(head<T>(o, o.x, i, 1), o.x, rows);
    pack.right_transposed(rows, k);
    pack.by_rows(head<T>(o, o.x, i, 2), o.x, rows);
    const E *right = pack.right(rows, v);
    for (int64_t t = 0; t < pack.rows; t += queries) {
      int64_t n = t + queries < pack.rows ? queries : pack.rows - t;
      Core::product(n, pack.rows, pack.columns, q + t * pack.columns, pack.columns, k, pack.far,
                    scores, pack.far, false);
      float part[queries];
      for (int64_t r = 0; r < n; r++) {
        float lse = softmax(o, scores + r * pack.far, weights + r * pack.far, &part[r]);
        if (t + r < o.tokens) o.lse[i * o.tokens + t + r] = lse;
      }
      Core::product(n, pack.columns, pack.rows, weights, pack.far, right, pack.columns, out,
                    pack.columns, false);
      for (int64_t r = 0; r < n; r++) {
        float *row = out + r * pack.columns;
        for (int64_t c = 0; c < pack.columns; c += width) store(row + c, load(row + c) * part[r]);
      }
      pack.put(out, t, n, head<T>(o, o.y, i, 0), o.y, turned);
    }
  }

  // exp(scores - their greatest) of a query, and what these are to be multiplied
  // with; returns L.
  float softmax(const Attention &o, const float *s, E *p, float *part) const {
    Floats high = splat(-__builtin_inff());
    across(o.tokens, [&]<bool last>(int64_t c, int64_t n) {
      Floats z = load(s + c) * o.scale;
      if constexpr (last)
        for (int64_t k = n; k < width; k++) z[k] = high[k];
      high = z > high ? z : high;
    });
    const float most = greatest(high);
    Floats sum = {};
    across(o.tokens, [&]<bool last>(int64_t c, int64_t n) {
      Floats e = exp_of(load(s + c) * o.scale - most);
      if constexpr (last) e = first(e, n);
      sum += e;
      store(p + c, e);
    });
    for (int64_t c = (o.tokens + width - 1) / width * width; c < pack.rows; c += width)
      store(p + c, Floats{});
    float all = ::sum(sum);
    *part = 1 / all;
    return most + __builtin_logf(all);
  }
};

template <class Core>
struct Backward {
  using E = typename Core::Element;
  Pack<Core> pack;
  E *q, *dy, *rows, *q_left, *dy_left, *k, *k_transposed, *v_transposed, *spare;
  E *slopes, *weights_right, *slopes_right;
  float *scores, *products, *dq, *dk, *dv, *delta, *turned;

  Backward(const Attention &o, Arena &a) : pack(o) {
    int64_t all = pack.rows * pack.columns, turned = pack.far * pack.columns;
    q = a.take<E>(all), dy = a.take<E>(all), rows = a.take<E>(all), k = a.take<E>(all);
    q_left = a.take<E>(turned), dy_left = a.take<E>(turned), spare = a.take<E>(2 * turned);
    k_transposed = a.take<E>(turned), v_transposed = a.take<E>(turned);
    scores = a.take<float>(queries * keys), products = a.take<float>(queries * keys);
    slopes = a.take<E>(queries * keys), weights_right = a.take<E>(queries * keys);
    slopes_right = a.take<E>(queries * keys);
    dq = a.take<float>(queries * pack.columns);
    dk = a.take<float>(turned), dv = a.take<float>(turned);
    delta = a.take<float>(pack.rows), this->turned = a.take<float>(turned);
  }

  template <class T>
  void run(const Attention &o, int64_t i) {
    pack.by_rows(head<T>(o, o.x, i, 0), o.x, q);
    pack.right_transposed(q, spare);
    const E *ql = pack.left_transposed(spare, q_left);
    pack.by_rows(head<T>(o, o.dy, i, 0), o.dy, dy);
    E *other = spare + pack.far * pack.columns;
    pack.right_transposed(dy, other);
    const E *dyl = pack.left_transposed(other, dy_left);
    pack.by_rows(head<T>(o, o.y, i, 0), o.y, rows);
    for (int64_t t = 0; t < pack.rows; t++) {
      Floats d = {};
      for (int64_t c = 0; c < pack.columns; c += width)
        d += load(dy + t * pack.columns + c) * load(rows + t * pack.columns + c);
      delta[t] = sum(d);
    }
    pack.by_rows(head<T>(o, o.x, i, 2), o.x, rows);
    pack.right_transposed(rows, v_transposed);
    pack.by_rows(head<T>(o, o.x, i, 1), o.x, rows);
    pack.right_transposed(rows, k_transposed);
    const E *kr = pack.right(rows, k);

    for (int64_t t = 0; t < pack.rows; t += queries) {
      int64_t n = t + queries < pack.rows ? queries : pack.rows - t;
      for (int64_t s = 0; s < pack.rows; s += keys) {
        int64_t m = s + keys < pack.rows ? keys : pack.rows - s;
        Core::product(n, m, pack.columns, q + t * pack.columns, pack.columns,
                      k_transposed + s * Core::pair, pack.far, scores, keys, false);
        Core::product(n, m, pack.columns, dy + t * pack.columns, pack.columns,
                      v_transposed + s * Core::pair, pack.far, products, keys, false);
        slope(o, i, t, n, s, m);
        Core::product(n, pack.columns, m, slopes, keys, kr + s * pack.columns, pack.columns, dq,
                      pack.columns, s > 0);
        Core::product(pack.columns, m, n, dyl + t, pack.far, weights_right, keys, dv + s, pack.far,
                      t > 0);
        Core::product(pack.columns, m, n, ql + t, pack.far, Core::pair == 1 ? slopes : slopes_right,
                      keys, dk + s, pack.far, t > 0);
      }
      pack.put(dq, t, n, head<T>(o, o.dx, i, 0), o.dx, turned);
    }
    turn<T>(o, i, 1, dk);
    turn<T>(o, i, 2, dv);
  }

  // P and dS of queries t on and keys s on, as the products want them.
  void slope(const Attention &o, int64_t i, int64_t t, int64_t n, int64_t s, int64_t m) const {
    int64_t real = o.tokens - s < m ? o.tokens - s : m;  // keys that there are
    for (int64_t r = 0; r < n; r += Core::pair) {
      float lse[2] = {}, d[2] = {};
      for (int k = 0; k < Core::pair; k++)
        if (t + r + k < o.tokens) lse[k] = o.lse[i * o.tokens + t + r + k], d[k] = delta[t + r + k];
      for (int64_t c = 0; c < m; c += width) {
        Floats p[2], ds[2];
        for (int k = 0; k < Core::pair; k++) {
          int64_t at = (r + k) * keys + c;
          p[k] = exp_of(load(scores + at) * o.scale - lse[k]);
          if (c + width > real) p[k] = first(p[k], real - c);
          ds[k] = p[k] * (load(products + at) - d[k]) * o.scale;
          store(slopes + at, ds[k]);
        }
        if constexpr (Core::pair == 1) {
          store(weights_right + r * keys + c, p[0]);
        } else {
          beside(weights_right + r * keys + 2 * c, p);
          beside(slopes_right + r * keys + 2 * c, ds);
        }
      }
    }
  }

  // Two rows' numbers side by side.
  GT_INLINE static void beside(E *p, const Floats *v) {
    if constexpr (Core::pair == 2) {
      Halves low, high;
      bf16 a[GT_WIDTH], b[GT_WIDTH];
      store(a, v[0]), store(b, v[1]);
      __builtin_memcpy(&low, a, sizeof low);
      __builtin_memcpy(&high, b, sizeof high);
      Words both = __builtin_convertvector(low, Words) | __builtin_convertvector(high, Words) << 16;
      __builtin_memcpy(p, &both, sizeof both);
    }
  }

  // The gradients of a part from [columns,far].
  template <class T>
  void turn(const Attention &o, int64_t i, int64_t part, const float *columns) {
    T *p = head<T>(o, o.dx, i, part);
    if (o.dx.channel != 1) return pack.put_transposed(columns, 0, pack.rows, p, o.dx);
    transpose(columns, pack.columns, pack.rows, pack.far, turned, pack.columns);
    pack.put(turned, 0, pack.rows, p, o.dx, nullptr);
  }
};

template <class Core, class T, template <class> class Way>
void run_as(const Attention &o, int64_t begin, int64_t end, void *scratch) {
  Arena a{(char *)scratch};
  Way<Core> way(o, a);
  Core::begin();
  for (int64_t i = begin; i < end; i++) way.template run<T>(o, i);
  Core::end();
}

template <template <class> class Way>
void run(const Attention &o, int64_t begin, int64_t end, void *scratch) {
#ifdef __AMX_BF16__
  if (o.half) return run_as<InTiles, bf16, Way>(o, begin, end, scratch);
#else
  if (o.half) return run_as<InFloats, bf16, Way>(o, begin, end, scratch);
#endif
  run_as<InFloats, float, Way>(o, begin, end, scratch);
}

// What Arena gives out at most.
int64_t scratch(const Attention &o) {
  Arena a{nullptr}, b{nullptr};
  Forward<InFloats> forward(o, a);
  Backward<InFloats> backward(o, b);
  return a.at > b.at ? a.at - (char *)nullptr : b.at - (char *)nullptr;
}

}  // namespace
