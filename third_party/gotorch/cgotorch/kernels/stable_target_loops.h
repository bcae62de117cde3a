// How far data points are from the averages of those that their x_t may lead to,
// for the processor that the including file is compiled for:
//
//	z_ij = ratio_i (x1_i - x1_j) + x0_i, w_ij = exp(-|z_ij|^2 / 2) / sum_k exp(-|z_ik|^2 / 2)
//	away_i = sum_j w_ij (x1_j - x1_i)
//
// All is computed from differences, so that nothing cancels where ratio is large.
// The other points are gone through in blocks, whose squares stay in cache; what
// was summed before a block is scaled when it has a lesser square.
#include "stable_target.h"
#include "stable_target_arithmetic.h"
#include "vector.h"

namespace {

using gt::StableTarget;

constexpr int64_t block = 1024;  // points

GT_FN float least(Floats v) {
  for (int k = width / 2; k > 0; k /= 2) {
    Floats w = swapped(v, k);
    v = v < w ? v : w;
  }
  return v[0];
}

// Point i, of dims dimensions, or as many as o says where that is 0.
template <int dims>
GT_FN void point(const StableTarget &o, int64_t i) {
  const int64_t d = dims ? dims : o.dims;
  const float *x0 = o.x0 + i * d, ratio = o.ratio[i];
  float *away = o.away + i * d;
  alignas(64) float squares[block + GT_WIDTH];
  float nearest = 0, weights = 0;  // the least square so far; its weight is 1
  for (int64_t k = 0; k < d; k++) away[k] = 0;
  for (int64_t from = 0; from < o.points; from += block) {
    const int64_t n = from + block < o.points ? block : o.points - from;
    Floats low = splat(__builtin_inff());
    across(n, [&]<bool part>(int64_t j, int64_t m) {
      Floats s = {};
      for (int64_t k = 0; k < d; k++) {
        const float *row = o.x1 + k * o.points;
        s = stable_square(s, row[i], get<part>(row + from + j, m), ratio, x0[k]);
      }
      store(squares + j, s);
      // What is beyond the last point counts for nothing.
      if constexpr (part)
        for (int64_t k = m; k < width; k++) s[k] = __builtin_inff();
      low = s < low ? s : low;
    });
    const float l = least(low);
    if (from == 0) {
      nearest = l;
    } else if (l < nearest) {
      const float scale = stable_weight(l, nearest);
      weights *= scale;
      for (int64_t k = 0; k < d; k++) away[k] *= scale;
      nearest = l;
    }
    Floats sum = {};
    across(n, [&]<bool part>(int64_t j, int64_t m) {
      Floats w = stable_weight(nearest, load(squares + j));
      if constexpr (part) w = first(w, m);
      store(squares + j, w);
      sum += w;
    });
    weights += ::sum(sum);
    for (int64_t k = 0; k < d; k++) {
      const float *row = o.x1 + k * o.points;
      Floats a = {};
      across(n, [&]<bool part>(int64_t j, int64_t m) {
        a += load(squares + j) * (get<part>(row + from + j, m) - row[i]);
      });
      away[k] += ::sum(a);
    }
  }
  for (int64_t k = 0; k < d; k++) away[k] /= weights;
}

void loop(const StableTarget &o, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; i++) o.dims == 2 ? point<2>(o, i) : point<0>(o, i);
}

}  // namespace
