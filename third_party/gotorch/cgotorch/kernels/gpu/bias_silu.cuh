// y = silu(x + bias) on a GPU, and backward, as bias_silu_loops.h:
//
//	dx = dy silu'(x + bias), dbias = sum dx over rows
//
// A block of threads does a tile of columns in a chunk of rows. Its threads lie in lanes: those
// of a lane have neighbouring columns, each as many as one access gets, and the lanes have
// neighbouring rows. A tile is narrow, so that few chunks have to be summed, if any more than
// one: what a thread sums, and then the lanes of a column, is in an order that depends on the
// sizes alone. Nothing is added atomically.
#include "kernels/gpu/device.cuh"

namespace bias_silu {
namespace {

using gt::gpu::BiasSilu;

constexpr int unrolled = 4;  // accesses that a thread has under way

// Where a thread is.
template <class E>
struct Place {
  int columns, lanes;     // of the tile: accesses beside each other; rows at a time
  int lane, first, column;  // of the thread, the tile and the thread; past the lanes are idle ones
  long long begin, end;   // the chunk's rows

  GT_INLINE explicit Place(const BiasSilu &o) {
    const int all = o.columns / E::count, before = (int)blockIdx.y * o.tile;
    columns = all - before < o.tile ? all - before : o.tile;
    lanes = threads / columns, lane = (int)threadIdx.x / columns;
    first = before * E::count;
    column = first + (int)threadIdx.x % columns * E::count;
    begin = (long long)blockIdx.x * o.chunk;
    end = o.rows - begin < o.chunk ? o.rows : begin + o.chunk;
  }
  template <class Raw>
  GT_INLINE const Raw *at(const void *p, const BiasSilu &o, long long row) const {
    const long long element = row * o.columns + column;
    return (const Raw *)((const char *)p + element * (long long)(sizeof(Raw) / E::count));
  }
};

template <class E>
GT_DEVICE void biases(const BiasSilu &o, const Place<E> &p, float *bias) {
  GT_UNROLL
  for (int i = 0; i < E::count; i++) bias[i] = number(o.bias, p.column + i, 0);
}

template <class E>
GT_DEVICE void forward(const BiasSilu &o, Nothing &) {
  using Raw = typename E::Raw;
  const Place<E> p(o);
  if (p.lane >= p.lanes) return;
  float bias[E::count];
  biases(o, p, bias);
  for (long long row = p.begin + p.lane; row < p.end; row += unrolled * p.lanes) {
    Raw raw[unrolled];
    GT_UNROLL
    for (int u = 0; u < unrolled; u++)
      if (row + u * p.lanes < p.end) raw[u] = read(p.template at<Raw>(o.x, o, row + u * p.lanes));
    GT_UNROLL
    for (int u = 0; u < unrolled; u++) {
      if (row + u * p.lanes >= p.end) break;
      float v[E::count];
      E::widen(raw[u], v);
      GT_UNROLL
      for (int i = 0; i < E::count; i++) v[i] = silu(v[i] + bias[i]);
      write((Raw *)p.template at<Raw>(o.y, o, row + u * p.lanes), E::narrow(v));
    }
  }
}

struct Sum {
  float of;
  GT_INLINE void add(const Sum &b) { of += b.of; }
};

template <class E>
struct BackwardMemory {
  float of[E::count][threads];
  Gathering<Sum> all;
};

template <class E>
GT_DEVICE void inputs(const BiasSilu &o, const Place<E> &p, BackwardMemory<E> &s) {
  using Raw = typename E::Raw;
  constexpr int many = unrolled / 2;
  float bias[E::count], sums[E::count] = {};
  biases(o, p, bias);
  for (long long row = p.begin + p.lane; row < p.end; row += many * p.lanes) {
    Raw x[many], dy[many];
    GT_UNROLL
    for (int u = 0; u < many; u++) {
      if (row + u * p.lanes >= p.end) break;
      x[u] = read(p.template at<Raw>(o.x, o, row + u * p.lanes));
      dy[u] = read(p.template at<Raw>(o.dy, o, row + u * p.lanes));
    }
    GT_UNROLL
    for (int u = 0; u < many; u++) {
      if (row + u * p.lanes >= p.end) break;
      float v[E::count], d[E::count];
      E::widen(x[u], v), E::widen(dy[u], d);
      GT_UNROLL
      for (int i = 0; i < E::count; i++) {
        v[i] = d[i] * silu_slope(v[i] + bias[i]);
        sums[i] += v[i];
      }
      write((Raw *)p.template at<Raw>(o.dx, o, row + u * p.lanes), E::narrow(v));
    }
  }
  GT_UNROLL
  for (int i = 0; i < E::count; i++) s.of[i][threadIdx.x] = sums[i];
}

template <class E>
GT_DEVICE void backward(const BiasSilu &o, BackwardMemory<E> &s) {
  const Place<E> p(o);
  if (p.lane < p.lanes) inputs(o, p, s);
  if (!o.sums) return;
  __syncthreads();
  gather(
      s.all, p.columns * E::count, p.lanes,
      [&](int c, int l) { return Sum{s.of[c % E::count][l * p.columns + c / E::count]}; },
      [&](int c, const Sum &all) {
        write(o.sums + (long long)blockIdx.x * o.columns + p.first + c, all.of);
      });
}

}  // namespace
}  // namespace bias_silu
