// Stable targets on a GPU: what stable_target_loops.h computes, whose formula is there.
//
// A block does one point. Its threads first find the least square of all other points, each of some
// of them. Then they go through the others as many at a time as they are: each finds the
// weight of one, and then each sums one dimension over some of them. Squares are
// computed twice, so that none has to be stored, and no sum has to be scaled anew.
// Nothing is added atomically: equal operands give equal bits.
#include "kernels/gpu/device.cuh"
#include "kernels/stable_target_arithmetic.h"

namespace stable_targets {
namespace {

using gt::gpu::StableTarget;

struct Least {
  float square;
  int found;

  GT_INLINE void add(const Least &b) {
    if (b.found && (!found || b.square < square)) *this = b;
  }
};

struct Sum {
  float sum;

  GT_INLINE void add(const Sum &b) { sum += b.sum; }
};

struct Memory {
  float weights[threads];  // of the others at hand
  float sums[threads];     // of each thread
  float totals[threads];   // of weights, and of what they weigh
  float least;
  Gathering<Least> squares;
  Gathering<Sum> all;
};

// Point i, of dims dimensions, which it keeps at hand then, or as many as o says where that is 0.
template <int dims>
struct Point {
  const StableTarget &o;
  long long at;  // its first number
  float ratio, own[dims ? dims : 1], x0[dims ? dims : 1];

  GT_INLINE explicit Point(const StableTarget &of) : o(of) {
    at = (long long)blockIdx.x * o.dims, ratio = read(o.ratio + blockIdx.x);
    GT_UNROLL
    for (int k = 0; k < dims; k++) own[k] = read(o.x1 + at + k), x0[k] = read(o.x0 + at + k);
  }
  GT_INLINE float square(int j) const {
    float all = 0;
    if constexpr (dims) {
      const float *other = o.x1 + (long long)j * dims;
      GT_UNROLL
      for (int k = 0; k < dims; k++)
        all = stable_square(all, own[k], read(other + k), ratio, x0[k]);
    } else {
      const float *other = o.x1 + (long long)j * o.dims;
      for (int k = 0; k < o.dims; k++)
        all =
            stable_square(all, read(o.x1 + at + k), read(other + k), ratio, read(o.x0 + at + k));
    }
    return all;
  }
};

// Writes the point's dimensions first to first + count - 1.
template <int dims>
GT_DEVICE void dimensions(const StableTarget &o, Memory &s, const Point<dims> &p, int first,
                          int count) {
  const int me = (int)threadIdx.x, records = count + 1;  // the first: the weights' own sum
  const int lanes = threads / records, lane = me / records, record = me % records;
  const float *column = o.x1 + first + record - 1;
  const float own = record && lane < lanes ? read(column + p.at) : 0;
  float sum = 0;
  for (int from = 0; from < o.points; from += threads) {
    const int n = o.points - from < threads ? o.points - from : threads;
    if (me < n) s.weights[me] = stable_weight(s.least, p.square(from + me));
    __syncthreads();
    if (lane < lanes)
      for (int j = lane; j < n; j += lanes)
        sum += record ? s.weights[j] * (read(column + (long long)(from + j) * o.dims) - own)
                      : s.weights[j];
    __syncthreads();
  }
  s.sums[me] = sum;
  __syncthreads();
  gather(
      s.all, records, lanes, [&](int r, int l) { return Sum{s.sums[l * records + r]}; },
      [&](int r, const Sum &all) { s.totals[r] = all.sum; });
  __syncthreads();
  if (me < count) write(o.away + p.at + first + me, s.totals[me + 1] / s.totals[0]);
  __syncthreads();
}

template <int dims>
GT_DEVICE void point(const StableTarget &o, Memory &s) {
  const Point<dims> p(o);
  Least mine = {};
  for (int j = (int)threadIdx.x; j < o.points; j += threads) mine.add({p.square(j), 1});
  // Of as many items as threads each takes its own.
  gather(
      s.squares, 1, threads, [&](int, int) { return mine; },
      [&](int, const Least &all) { s.least = all.square; });
  __syncthreads();
  for (int first = 0; first < o.dims; first += threads - 1)
    dimensions(o, s, p, first, o.dims - first < threads - 1 ? o.dims - first : threads - 1);
}

GT_DEVICE void away(const StableTarget &o, Memory &s) {
  if (o.dims == 2)
    point<2>(o, s);
  else
    point<0>(o, s);
}

}  // namespace
}  // namespace stable_targets
