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
#include "attention_product.h"

namespace {

constexpr int64_t most_queries = 64, keys = 256;  // of a block

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

// [rows,columns] -> [columns,far].
void turn_rows(const Pack<float> &pack, const float *from, float *to) {
  transpose(from, pack.rows, pack.columns, pack.columns, to, pack.far);
}

// n rows of [n,columns] from token t on, times by -> the tokens at p. spare: [columns,far].
template <class T>
void put_rows(const Pack<float> &pack, const float *from, int64_t t, int64_t n, float by, T *p,
              const Attention::Place &at, float *spare) {
  if (at.channel == 1) return pack.put(from, t, n, by, p, at);
  transpose(from, n, pack.columns, pack.columns, spare, pack.far);
  pack.put_transposed(spare, pack.far, t, n, by, p, at);
}

void scale_rows(float *q, int64_t n, float by) {
  for (int64_t i = 0; i < n; i += width) store(q + i, load(q + i) * by);
}

struct Forward {
  Pack<float> pack;
  float *rows, *q, *k, *v, *weights, *scores, *out, *turned;
  int64_t queries;  // of a block

  Forward(const Attention &o, Arena &a) : pack(o), queries(queries_of(pack.far)) {
    int64_t all = pack.rows * pack.columns;
    q = a.take<float>(all), rows = a.take<float>(all), v = a.take<float>(all);
    k = a.take<float>(pack.far * pack.columns);
    scores = a.take<float>(queries * pack.far), weights = a.take<float>(queries * pack.far);
    out = a.take<float>(queries * pack.columns);
    turned = a.take<float>(pack.far * pack.columns);
  }

  template <class T>
  void run(const Attention &o, int64_t i) {
    pack.by_rows(head<T>(o, o.x, i, 0), o.x, q);
    scale_rows(q, pack.rows * pack.columns, o.scale);
    pack.by_rows(head<T>(o, o.x, i, 1), o.x, rows);
    turn_rows(pack, rows, k);
    pack.by_rows(head<T>(o, o.x, i, 2), o.x, v);
    for (int64_t t = 0; t < pack.rows; t += queries) {
      int64_t n = t + queries < pack.rows ? queries : pack.rows - t;
      product(n, pack.rows, pack.columns, q + t * pack.columns, pack.columns, k, pack.far, scores,
              pack.far, false);
      float part[most_queries];
      for (int64_t r = 0; r < n; r++) {
        float most = softmax(o, scores + r * pack.far, weights + r * pack.far, &part[r]);
        int64_t at = i * o.tokens + t + r;
        if (t + r < o.tokens) o.high[at] = most, o.part[at] = part[r];
      }
      product(n, pack.columns, pack.rows, weights, pack.far, v, pack.columns, out, pack.columns,
              false);
      for (int64_t r = 0; r < n; r++) {
        float *row = out + r * pack.columns;
        for (int64_t c = 0; c < pack.columns; c += width) store(row + c, load(row + c) * part[r]);
      }
      put_rows(pack, out, t, n, 1.0f, head<T>(o, o.y, i, 0), o.y, turned);
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
  float *q, *dy, *rows, *q_turned, *dy_turned, *k, *k_turned, *v_turned;
  float *scores, *products, *dq, *dk, *dv, *turned;
  int64_t queries;  // of a block

  Backward(const Attention &o, Arena &a) : pack(o), queries(queries_of(pack.far)) {
    int64_t all = pack.rows * pack.columns, turned = pack.far * pack.columns;
    float **by_rows[] = {&q, &dy, &rows, &k};
    for (float **p : by_rows) *p = a.take<float>(all);
    float **by_columns[] = {&q_turned, &dy_turned, &k_turned, &v_turned};
    for (float **p : by_columns) *p = a.take<float>(turned);
    scores = a.take<float>(queries * pack.far), products = a.take<float>(queries * pack.far);
    dq = a.take<float>(queries * pack.columns);
    dk = a.take<float>(turned), dv = a.take<float>(turned);
    this->turned = a.take<float>(turned);
  }

  template <class T>
  void run(const Attention &o, int64_t i) {
    pack.by_rows(head<T>(o, o.x, i, 0), o.x, q);
    scale_rows(q, pack.rows * pack.columns, o.scale);
    turn_rows(pack, q, q_turned);
    // Times what makes weights of E: then it is in dV, dP and D, and P need not be.
    pack.by_rows(head<T>(o, o.dy, i, 0), o.dy, dy);
    for (int64_t t = 0; t < o.tokens; t++)
      scale_rows(dy + t * pack.columns, pack.columns, o.part[i * o.tokens + t]);
    turn_rows(pack, dy, dy_turned);
    pack.by_rows(head<T>(o, o.x, i, 2), o.x, rows);
    turn_rows(pack, rows, v_turned);
    pack.by_rows(head<T>(o, o.x, i, 1), o.x, k);
    turn_rows(pack, k, k_turned);

    for (int64_t t = 0; t < pack.rows; t += queries) {
      int64_t n = t + queries < pack.rows ? queries : pack.rows - t;
      product(n, pack.rows, pack.columns, q + t * pack.columns, pack.columns, k_turned, pack.far,
              scores, pack.far, false);
      product(n, pack.rows, pack.columns, dy + t * pack.columns, pack.columns, v_turned, pack.far,
              products, pack.far, false);
      for (int64_t r = 0; r < n; r++)
        slope(o, i, t + r, scores + r * pack.far, products + r * pack.far);
      for (int64_t s = 0; s < pack.rows; s += keys) {
        int64_t m = s + keys < pack.rows ? keys : pack.rows - s;
        product(n, pack.columns, m, products + s, pack.far, k + s * pack.columns, pack.columns, dq,
                pack.columns, s > 0);
      }
      product(pack.columns, pack.rows, n, dy_turned + t, pack.far, scores, pack.far, dv, pack.far,
              t > 0);
      product(pack.columns, pack.rows, n, q_turned + t, pack.far, products, pack.far, dk, pack.far,
              t > 0);
      put_rows(pack, dq, t, n, o.scale, head<T>(o, o.dx, i, 0), o.dx, turned);
    }
    turn<T>(o, i, 1, dk);
    turn<T>(o, i, 2, dv);
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

  // The gradients of a part from [columns,far].
  template <class T>
  void turn(const Attention &o, int64_t i, int64_t part, const float *columns) {
    T *p = head<T>(o, o.dx, i, part);
    if (o.dx.channel != 1)
      return pack.put_transposed(columns, pack.far, 0, pack.rows, 1.0f, p, o.dx);
    transpose(columns, pack.columns, pack.rows, pack.far, turned, pack.columns);
    pack.put(turned, 0, pack.rows, 1.0f, p, o.dx);
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
