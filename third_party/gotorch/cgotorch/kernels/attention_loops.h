// Attention, forward and backward, for the processor that the including file is
// compiled for. For each sample and head, of T tokens:
//
//	S = scale Q K', L_i = log sum_j exp(S_ij), P = exp(S - L), O = P V
//	dV = P' dO, dP = dO V', dS = scale P (dP - D), D_i = sum_c dO_ic O_ic
//	dQ = dS K, dK = dS' Q
//
// (Dao et al. 2022.) Scores exist for a block of queries at a time, backward for
// a block of keys, too; they stay in the second-level cache. Products are in float32;
// those of bf16 where the processor has tiles of it are in attention_tiles.h. A head
// is computed by one thread, so nothing depends on their number.
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

// [rows,columns] -> [columns,far].
void turn_rows(const Pack<float> &pack, const float *from, float *to) {
  transpose(from, pack.rows, pack.columns, pack.columns, to, pack.far);
}

// n rows of [n,columns] from token t on -> the tokens at p. spare: [columns,far].
template <class T>
void put_rows(const Pack<float> &pack, const float *from, int64_t t, int64_t n, T *p,
              const Attention::Place &at, float *spare) {
  if (at.channel == 1) return pack.put(from, t, n, 1.0f, p, at);
  transpose(from, n, pack.columns, pack.columns, spare, pack.far);
  pack.put_transposed(spare, pack.far, t, n, 1.0f, p, at);
}

struct Forward {
  Pack<float> pack;
  float *rows, *q, *k, *v, *weights, *scores, *out, *turned;

  Forward(const Attention &o, Arena &a) : pack(o) {
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
    pack.by_rows(head<T>(o, o.x, i, 1), o.x, rows);
    turn_rows(pack, rows, k);
    pack.by_rows(head<T>(o, o.x, i, 2), o.x, v);
    for (int64_t t = 0; t < pack.rows; t += queries) {
      int64_t n = t + queries < pack.rows ? queries : pack.rows - t;
      product(n, pack.rows, pack.columns, q + t * pack.columns, pack.columns, k, pack.far, scores,
              pack.far, false);
      float part[queries];
      for (int64_t r = 0; r < n; r++) {
        float lse = softmax(o, scores + r * pack.far, weights + r * pack.far, &part[r]);
        if (t + r < o.tokens) o.lse[i * o.tokens + t + r] = lse;
      }
      product(n, pack.columns, pack.rows, weights, pack.far, v, pack.columns, out, pack.columns,
              false);
      for (int64_t r = 0; r < n; r++) {
        float *row = out + r * pack.columns;
        for (int64_t c = 0; c < pack.columns; c += width) store(row + c, load(row + c) * part[r]);
      }
      put_rows(pack, out, t, n, head<T>(o, o.y, i, 0), o.y, turned);
    }
  }

  // exp(scores - their greatest) of a query, and what these are to be multiplied
  // with; returns L.
  float softmax(const Attention &o, const float *s, float *p, float *part) const {
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

struct Backward {
  Pack<float> pack;
  float *q, *dy, *rows, *q_turned, *dy_turned, *k, *k_turned, *v_turned;
  float *scores, *products, *dq, *dk, *dv, *delta, *turned;

  Backward(const Attention &o, Arena &a) : pack(o) {
    int64_t all = pack.rows * pack.columns, turned = pack.far * pack.columns;
    float **by_rows[] = {&q, &dy, &rows, &k};
    for (float **p : by_rows) *p = a.take<float>(all);
    float **by_columns[] = {&q_turned, &dy_turned, &k_turned, &v_turned};
    for (float **p : by_columns) *p = a.take<float>(turned);
    scores = a.take<float>(queries * keys), products = a.take<float>(queries * keys);
    dq = a.take<float>(queries * pack.columns);
    dk = a.take<float>(turned), dv = a.take<float>(turned);
    delta = a.take<float>(pack.rows), this->turned = a.take<float>(turned);
  }

  template <class T>
  void run(const Attention &o, int64_t i) {
    pack.by_rows(head<T>(o, o.x, i, 0), o.x, q);
    turn_rows(pack, q, q_turned);
    pack.by_rows(head<T>(o, o.dy, i, 0), o.dy, dy);
    turn_rows(pack, dy, dy_turned);
    pack.by_rows(head<T>(o, o.y, i, 0), o.y, rows);
    for (int64_t t = 0; t < pack.rows; t++) {
      Floats d = {};
      for (int64_t c = 0; c < pack.columns; c += width)
        d += load(dy + t * pack.columns + c) * load(rows + t * pack.columns + c);
      delta[t] = sum(d);
    }
    pack.by_rows(head<T>(o, o.x, i, 2), o.x, rows);
    turn_rows(pack, rows, v_turned);
    pack.by_rows(head<T>(o, o.x, i, 1), o.x, k);
    turn_rows(pack, k, k_turned);

    for (int64_t t = 0; t < pack.rows; t += queries) {
      int64_t n = t + queries < pack.rows ? queries : pack.rows - t;
      for (int64_t s = 0; s < pack.rows; s += keys) {
        int64_t m = s + keys < pack.rows ? keys : pack.rows - s;
        product(n, m, pack.columns, q + t * pack.columns, pack.columns, k_turned + s, pack.far,
                scores, keys, false);
        product(n, m, pack.columns, dy + t * pack.columns, pack.columns, v_turned + s, pack.far,
                products, keys, false);
        slope(o, i, t, n, s, m);
        product(n, pack.columns, m, products, keys, k + s * pack.columns, pack.columns, dq,
                pack.columns, s > 0);
        product(pack.columns, m, n, dy_turned + t, pack.far, scores, keys, dv + s, pack.far, t > 0);
        product(pack.columns, m, n, q_turned + t, pack.far, products, keys, dk + s, pack.far,
                t > 0);
      }
      put_rows(pack, dq, t, n, head<T>(o, o.dx, i, 0), o.dx, turned);
    }
    turn<T>(o, i, 1, dk);
    turn<T>(o, i, 2, dv);
  }

  // P and dS of queries t on and keys s on, in the place of scores and products.
  void slope(const Attention &o, int64_t i, int64_t t, int64_t n, int64_t s, int64_t m) const {
    int64_t real = o.tokens - s < m ? o.tokens - s : m;  // keys that there are
    for (int64_t r = 0; r < n; r++) {
      float lse = 0, d = 0;
      if (t + r < o.tokens) lse = o.lse[i * o.tokens + t + r], d = delta[t + r];
      for (int64_t c = 0; c < m; c += width) {
        float *z = scores + r * keys + c, *dp = products + r * keys + c;
        Floats p = exp_of(load(z) * o.scale - lse);
        if (c + width > real) p = first(p, real - c);
        store(z, p);
        store(dp, p * (load(dp) - d) * o.scale);
      }
    }
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
