// Attention, forward and backward, for the processor that the including file is
// compiled for. For each sample and head, of T tokens:
//
//	S = scale Q K', E_ij = exp(S_ij - max_j S_ij), P_ij = E_ij / sum_j E_ij, O = P V
//	dV = P' dO, dP = dO V', dS = P (dP - D), D_i = sum_j P_ij dP_ij
//	dQ = scale dS K, dK = scale dS' Q
//
// Scores exist for a block of queries at a time, and stay in the second-level cache.
// Products are in float32; those of bf16 where the processor has tiles of it are in
// attention_tiles.h. A head is computed by one thread, so nothing depends on their number.
//
// Scores may be thousands. Then a query's weights are 1 and nothing, and what is left of
// dP - D is a small difference of large numbers: backward, scores are the same bits as
// forward, and so are their differences, as Q is scaled and not they; and D is of the very
// numbers that it is subtracted from. (It is sum_c dO_ic O_ic, too, but otherwise rounded.)
#include "attention.h"
#include "vector.h"

namespace {
using gt::Attention;
}

#include "attention_pack.h"
#include "product.h"

namespace {

constexpr int64_t most_queries = 64, keys = 16 * 256 / panel;  // of a block

// How many queries' scores, and as many numbers once more, are to be in cache at once.
GT_FN int64_t queries_of(int64_t far) {
  constexpr int64_t room = 1 << 20;
  return most_queries * 2 * (int64_t)sizeof(float) * far <= room ? most_queries : most_queries / 2;
}

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

// [rows,columns] as the right operand: [columns / panel,rows,panel].
void in_panels(const Pack<float> &pack, const float *from, float *to) {
  for (int64_t t = 0; t < pack.rows; t++, from += pack.columns)
    for (int64_t c = 0; c < pack.columns; c += panel)
      __builtin_memcpy(to + c * pack.rows + t * panel, from + c, panel * sizeof(float));
}
// And turned: [rows / panel,columns,panel].
void turned_in_panels(const Pack<float> &pack, const float *from, float *to) {
  for (int64_t t = 0; t < pack.rows; t += panel, from += panel * pack.columns)
    for (int64_t c = 0; c < pack.columns; c++, to += panel) {
      float of[panel];
      for (int64_t k = 0; k < panel; k++) of[k] = from[k * pack.columns + c];
      __builtin_memcpy(to, of, sizeof of);
    }
}

// n rows of [n,columns] from token t on, times by -> the tokens at p. spare: [columns,aside].
constexpr int64_t aside = most_queries + 16;
template <class T>
void put_rows(const Pack<float> &pack, const float *from, int64_t t, int64_t n, float by, T *p,
              const Attention::Place &at, float *spare) {
  if (at.channel == 1) return pack.put(from, t, n, by, p, at);
  transpose(from, n, pack.columns, pack.columns, spare, aside);
  pack.put_transposed(spare, aside, t, n, by, p, at);
}

void scale_rows(float *q, int64_t n, float by) {
  for (int64_t i = 0; i < n; i += width) store(q + i, load(q + i) * by);
}

// a b of n rows. a: [n,columns], b: turned in panels, c: [n,far].
void of_channels(const Pack<float> &pack, int64_t n, const float *a, const float *b, float *c) {
  for (int64_t j = 0; j < pack.rows; j += panel)
    product<false>(n, pack.columns, a, pack.columns, 1, b + j * pack.columns, c + j, pack.far);
}
// a b of n rows, by parts of b that stay in cache. a: [n,far], b: in panels, c: [n,columns].
void of_keys(const Pack<float> &pack, int64_t n, const float *a, const float *b, float *c) {
  for (int64_t s = 0; s < pack.rows; s += keys) {
    int64_t m = s + keys < pack.rows ? keys : pack.rows - s;
    for (int64_t j = 0; j < pack.columns; j += panel) {
      const float *right = b + j * pack.rows + s * panel;
      if (s == 0)
        product<false>(n, m, a, pack.far, 1, right, c + j, pack.columns);
      else
        product<true>(n, m, a + s, pack.far, 1, right, c + j, pack.columns);
    }
  }
}

struct Forward {
  Pack<float> pack;
  float *rows, *q, *k, *v, *weights, *scores, *out, *spare;
  int64_t queries;  // of a block

  Forward(const Attention &o, Arena &a) : pack(o), queries(queries_of(pack.far)) {
    float **whole[] = {&rows, &q, &k, &v};
    for (float **p : whole) *p = a.take<float>(pack.rows * pack.columns);
    scores = a.take<float>(queries * pack.far), weights = a.take<float>(queries * pack.far);
    out = a.take<float>(queries * pack.columns);
    spare = a.take<float>(aside * pack.columns);
  }

  template <class T>
  void run(const Attention &o, int64_t i) {
    pack.by_rows(head<T>(o, o.x, i, 0), o.x, q);
    scale_rows(q, pack.rows * pack.columns, o.scale);
    pack.by_rows(head<T>(o, o.x, i, 1), o.x, rows);
    turned_in_panels(pack, rows, k);
    pack.by_rows(head<T>(o, o.x, i, 2), o.x, rows);
    in_panels(pack, rows, v);
    for (int64_t t = 0; t < pack.rows; t += queries) {
      int64_t n = t + queries < pack.rows ? queries : pack.rows - t;
      of_channels(pack, n, q + t * pack.columns, k, scores);
      float part[most_queries];
      for (int64_t r = 0; r < n; r++) {
        float most = softmax(o, scores + r * pack.far, weights + r * pack.far, &part[r]);
        int64_t at = i * o.tokens + t + r;
        if (t + r < o.tokens) o.high[at] = most, o.part[at] = part[r];
      }
      of_keys(pack, n, weights, v, out);
      for (int64_t r = 0; r < n; r++) {
        float *row = out + r * pack.columns;
        for (int64_t c = 0; c < pack.columns; c += width) store(row + c, load(row + c) * part[r]);
      }
      put_rows(pack, out, t, n, 1.0f, head<T>(o, o.y, i, 0), o.y, spare);
    }
  }

  // exp(scores - their greatest) of a query, and what these are to be multiplied
  // with; returns the greatest.
  float softmax(const Attention &o, const float *s, float *p, float *part) const {
    Floats high = splat(-__builtin_inff());
    across(o.tokens, [&]<bool last>(int64_t c, int64_t n) {
      Floats z = load(s + c);
      if constexpr (last)
        for (int64_t k = n; k < width; k++) z[k] = high[k];
      high = z > high ? z : high;
    });
    const float most = greatest(high);
    Floats sum = {};
    across(o.tokens, [&]<bool last>(int64_t c, int64_t n) {
      Floats e = exp_of(load(s + c) - most);
      if constexpr (last) e = first(e, n);
      sum += e;
      store(p + c, e);
    });
    for (int64_t c = (o.tokens + width - 1) / width * width; c < pack.rows; c += width)
      store(p + c, Floats{});
    *part = 1 / ::sum(sum);
    return most;
  }
};

struct Backward {
  Pack<float> pack;
  float *rows, *q, *dy, *q_panels, *dy_panels, *k_panels, *k_turned, *v_turned;
  float *scores, *products, *dq, *dk, *dv, *spare;
  int64_t queries;  // of a block

  Backward(const Attention &o, Arena &a) : pack(o), queries(queries_of(pack.far)) {
    float **whole[] = {&rows,     &q,        &dy,       &q_panels, &dy_panels,
                       &k_panels, &k_turned, &v_turned, &dk,       &dv};
    for (float **p : whole) *p = a.take<float>(pack.rows * pack.columns);
    scores = a.take<float>(queries * pack.far), products = a.take<float>(queries * pack.far);
    dq = a.take<float>(queries * pack.columns);
    spare = a.take<float>(aside * pack.columns);
  }

  template <class T>
  void run(const Attention &o, int64_t i) {
    pack.by_rows(head<T>(o, o.x, i, 0), o.x, q);
    scale_rows(q, pack.rows * pack.columns, o.scale);
    in_panels(pack, q, q_panels);
    // Times what makes weights of E: then it is in dV, dP and D, and P need not be.
    pack.by_rows(head<T>(o, o.dy, i, 0), o.dy, dy);
    for (int64_t t = 0; t < o.tokens; t++)
      scale_rows(dy + t * pack.columns, pack.columns, o.part[i * o.tokens + t]);
    in_panels(pack, dy, dy_panels);
    pack.by_rows(head<T>(o, o.x, i, 2), o.x, rows);
    turned_in_panels(pack, rows, v_turned);
    pack.by_rows(head<T>(o, o.x, i, 1), o.x, rows);
    turned_in_panels(pack, rows, k_turned);
    in_panels(pack, rows, k_panels);

    for (int64_t t = 0; t < pack.rows; t += queries) {
      int64_t n = t + queries < pack.rows ? queries : pack.rows - t;
      of_channels(pack, n, q + t * pack.columns, k_turned, scores);
      of_channels(pack, n, dy + t * pack.columns, v_turned, products);
      for (int64_t r = 0; r < n; r++)
        slope(o, i, t + r, scores + r * pack.far, products + r * pack.far);
      of_keys(pack, n, products, k_panels, dq);
      of_queries(t, n, scores, dy_panels, dv);
      of_queries(t, n, products, q_panels, dk);
      put_rows(pack, dq, t, n, o.scale, head<T>(o, o.dx, i, 0), o.dx, spare);
    }
    for (int64_t t = 0; t < pack.rows; t += queries) {
      int64_t n = t + queries < pack.rows ? queries : pack.rows - t, at = t * pack.columns;
      put_rows(pack, dk + at, t, n, 1.0f, head<T>(o, o.dx, i, 1), o.dx, spare);
      put_rows(pack, dv + at, t, n, 1.0f, head<T>(o, o.dx, i, 2), o.dx, spare);
    }
  }

  // a' b of n queries from t on, added to what those before them make. a: [n,far], b: in
  // panels, c: [rows,columns].
  void of_queries(int64_t t, int64_t n, const float *a, const float *b, float *c) const {
    for (int64_t j = 0; j < pack.columns; j += panel) {
      const float *right = b + j * pack.rows + t * panel;
      if (t == 0)
        product<false>(pack.rows, n, a, 1, pack.far, right, c + j, pack.columns);
      else
        product<true>(pack.rows, n, a, 1, pack.far, right, c + j, pack.columns);
    }
  }

  // E and dS of a query, in the place of its scores z and of dp.
  void slope(const Attention &o, int64_t i, int64_t t, float *z, float *dp) const {
    bool real = t < o.tokens;
    const float most = real ? o.high[i * o.tokens + t] : 0.0f;
    Floats products = {};
    across(o.tokens, [&]<bool last>(int64_t c, int64_t n) {
      Floats e = exp_of(load(z + c) - most);
      if constexpr (last) e = first(e, n);
      products += e * load(dp + c);
      store(z + c, e);
    });
    for (int64_t c = (o.tokens + width - 1) / width * width; c < pack.rows; c += width)
      store(z + c, Floats{});
    const float d = real ? sum(products) * o.part[i * o.tokens + t] : 0.0f;
    for (int64_t c = 0; c < pack.rows; c += width) store(dp + c, load(z + c) * (load(dp + c) - d));
  }
};

template <class T, class Way>
void run_as(const Attention &o, int64_t begin, int64_t end, void *scratch) {
  Arena a{(char *)scratch};
  Way way(o, a);
  for (int64_t i = begin; i < end; i++) way.template run<T>(o, i);
}

template <class Way>
void run(const Attention &o, int64_t begin, int64_t end, void *scratch) {
  o.half ? run_as<bf16, Way>(o, begin, end, scratch) : run_as<float, Way>(o, begin, end, scratch);
}

// What Arena gives out at most.
template <class A, class B>
int64_t most(const Attention &o) {
  Arena a{nullptr}, b{nullptr};
  A forward(o, a);
  B backward(o, b);
  return a.at > b.at ? a.at - (char *)nullptr : b.at - (char *)nullptr;
}
int64_t scratch(const Attention &o) { return most<Forward, Backward>(o); }

}  // namespace
