// Group normalisation and SiLU on a GPU, forward and backward, of channels that lie side
// by side: what groupnorm_loops.h computes, whose formulae are there.
//
// A block of threads does a chunk of a sample's pixels. Its threads lie in lanes: those
// of a lane have neighbouring channels, each as many as one access gets, and the lanes
// have neighbouring pixels. Each direction is two kernels, as a group's statistics
// need all its pixels:
//
//	moments   mean and squared deviations of each group, of a chunk
//	forward   puts the chunks' together; then y
//	sums      sums of each channel over a chunk's pixels
//	backward  puts the chunks' together, and a group's channels; then dx
//
// Nothing is added atomically: equal operands give equal bits.
#include "kernels/gpu/device.cuh"

namespace group_norm {
namespace {

using gt::gpu::GroupNorm;

constexpr int unrolled = 4;  // accesses that a thread has under way

// Where a thread is.
template <class E>
struct Place {
  long long sample, samples;
  int first;           // channel of the tile
  int columns, lanes;  // of the tile: accesses beside each other; pixels at a time
  int lane, channel;   // of the thread; past the lanes are threads without work
  int begin, end;      // the chunk's pixels
  int each;            // channels of a group
  long long start;     // the sample's first element

  GT_INLINE explicit Place(const GroupNorm &o) {
    sample = blockIdx.x, samples = gridDim.x;
    int all = o.channels / E::count, before = (int)blockIdx.z * threads;
    columns = all - before < threads ? all - before : threads;
    lanes = threads / columns, lane = (int)threadIdx.x / columns;
    first = before * E::count;
    channel = first + (int)threadIdx.x % columns * E::count;
    begin = (int)blockIdx.y * o.chunk;
    end = o.pixels - begin < o.chunk ? o.pixels : begin + o.chunk;
    each = o.channels / o.groups;
    start = sample * o.pixels * o.channels;
  }
  GT_INLINE int channels() const { return columns * E::count; }  // of the tile
  // The groups that the tile has channels of.
  GT_INLINE int first_group() const { return first / each; }
  GT_INLINE int tile_groups() const { return (first + channels() - 1) / each - first_group() + 1; }
  GT_INLINE int group(int i) const { return (channel + i) / each; }  // of the thread's channel i
  // Pixels of the chunk that the lane l has.
  GT_INLINE int pixels(int l) const {
    return l < lanes ? (end - begin - l + lanes - 1) / lanes : 0;
  }
  GT_INLINE long long element(const GroupNorm &o, int pixel) const {
    return start + (long long)pixel * o.channels + channel;
  }
  template <class Raw>
  GT_INLINE const Raw *at(const void *p, const GroupNorm &o, int pixel) const {
    return (const Raw *)((const char *)p + element(o, pixel) * (long long)(sizeof(Raw) / E::count));
  }
};

// The group's first number, which its others are close to, if anything is.
template <class E>
GT_DEVICE float pivot(const GroupNorm &o, const Place<E> &p, int group) {
  return element<E>(o.x, p.start + (long long)group * p.each);
}
// What is added to a channel, beyond what is added to the first of its group.
template <class E>
GT_DEVICE float shift(const GroupNorm &o, const Place<E> &p, int c) {
  const long long row = p.sample * o.shift.row;
  return number(o.shift, row + c, 0) - number(o.shift, row + c / p.each * p.each, 0);
}

// Mean and sum of squares about it, of n numbers.
struct Moments {
  float n, mean, squares;

  // Chan, Golub, LeVeque 1983.
  GT_INLINE void add(const Moments &b) {
    if (b.n == 0) return;
    float all = n + b.n, part = b.n / all, delta = b.mean - mean;
    squares += b.squares + delta * delta * (n * part);
    mean += delta * part;
    n = all;
  }
};

template <class E>
struct MomentsMemory {
  float mean[E::count][threads], squares[E::count][threads];
  Gathering<Moments> all;
};

template <class E>
GT_DEVICE void moments(const GroupNorm &o, MomentsMemory<E> &s) {
  using Raw = typename E::Raw;
  const Place<E> p(o);
  const int n = p.pixels(p.lane);
  if (n > 0) {
    // Sums about the thread's own first numbers.
    float about[E::count], sums[E::count] = {}, squares[E::count] = {};
    const int first = p.begin + p.lane;
    E::widen(read(p.template at<Raw>(o.x, o, first)), about);
    for (int pixel = first + p.lanes; pixel < p.end; pixel += unrolled * p.lanes) {
      Raw raw[unrolled];
      GT_UNROLL
      for (int u = 0; u < unrolled; u++)
        if (pixel + u * p.lanes < p.end)
          raw[u] = read(p.template at<Raw>(o.x, o, pixel + u * p.lanes));
      GT_UNROLL
      for (int u = 0; u < unrolled; u++) {
        if (pixel + u * p.lanes >= p.end) break;
        float x[E::count];
        E::widen(raw[u], x);
        GT_UNROLL
        for (int i = 0; i < E::count; i++) {
          float d = x[i] - about[i];
          sums[i] += d;
          squares[i] += d * d;
        }
      }
    }
    GT_UNROLL
    for (int i = 0; i < E::count; i++) {
      float mean = sums[i] / (float)n, rest = squares[i] - sums[i] * mean;
      s.mean[i][threadIdx.x] =
          about[i] - pivot(o, p, p.group(i)) + shift(o, p, p.channel + i) + mean;
      // It is at least an n-th of the squares, as the first number adds nothing to either
      // sum; n is some hundreds at most. So rounding does not make it negative.
      s.squares[i][threadIdx.x] = rest;
    }
  }
  __syncthreads();
  // In place of groups, their channels, where these are in several tiles.
  const int width = o.parts == 1 ? p.each : 1, records = p.channels() / width;
  gather(
      s.all, records, p.lanes * width,
      [&](int record, int i) {
        const int l = i / width, c = record * width + i % width;
        const int thread = l * p.columns + c / E::count;
        const int pixels = p.pixels(l);
        if (pixels == 0) return Moments{0, 0, 0};
        return Moments{(float)pixels, s.mean[c % E::count][thread],
                       s.squares[c % E::count][thread]};
      },
      [&](int record, const Moments &m) {
        float *to = o.partial + 2 * ((p.sample * o.chunks + blockIdx.y) * o.groups * o.parts +
                                     p.first / width + record);
        write(to, m.mean), write(to + 1, m.squares);
      });
}

// What normalises a group.
struct Statistics {
  float mean, rstd;
};

// What a thread's channels are normalised with.
template <class E>
struct Channels {
  float pivot[E::count];
  Channel<float> of[E::count];  // of x - pivot

  // of_group(g): its Statistics.
  template <class F>
  GT_INLINE Channels(const GroupNorm &o, const Place<E> &p, F of_group) {
    GT_UNROLL
    for (int i = 0; i < E::count; i++) {
      const int c = p.channel + i, g = p.group(i);
      const Statistics s = of_group(g);
      pivot[i] = group_norm::pivot(o, p, g);
      of[i] = {s.mean - shift(o, p, c), s.rstd * number(o.weight, c, 1), number(o.bias, c, 0)};
    }
  }
};

template <class E>
struct ForwardMemory {
  Statistics of[E::count * threads];  // the tile's groups
  Gathering<Moments> all;
};

template <class E, bool act>
GT_DEVICE void outputs(const GroupNorm &o, const Place<E> &p, const Channels<E> &channels) {
  using Raw = typename E::Raw;
  for (int pixel = p.begin + p.lane; pixel < p.end; pixel += unrolled * p.lanes) {
    Raw raw[unrolled];
    GT_UNROLL
    for (int u = 0; u < unrolled; u++)
      if (pixel + u * p.lanes < p.end)
        raw[u] = read(p.template at<Raw>(o.x, o, pixel + u * p.lanes));
    GT_UNROLL
    for (int u = 0; u < unrolled; u++) {
      if (pixel + u * p.lanes >= p.end) break;
      float v[E::count];
      E::widen(raw[u], v);
      GT_UNROLL
      for (int i = 0; i < E::count; i++)
        v[i] = channels.of[i].template forward<act>(v[i] - channels.pivot[i]);
      write((Raw *)p.template at<Raw>(o.y, o, pixel + u * p.lanes), E::narrow(v));
    }
  }
}

template <class E>
GT_DEVICE void forward(const GroupNorm &o, ForwardMemory<E> &s) {
  const Place<E> p(o);
  const int first = p.first_group(), width = p.each / o.parts;
  gather(
      s.all, p.tile_groups(), o.chunks * o.parts,
      [&](int record, int i) {
        const int chunk = i / o.parts, left = o.pixels - chunk * o.chunk;
        const int pixels = left < o.chunk ? left : o.chunk;
        const long long group = (p.sample * o.chunks + chunk) * o.groups + first + record;
        const float *from = o.partial + 2 * (group * o.parts + i % o.parts);
        return Moments{(float)width * (float)pixels, read(from), read(from + 1)};
      },
      [&](int record, const Moments &m) {
        const Statistics found = {m.mean, 1.0f / sqrtf(m.squares / m.n + o.eps)};
        s.of[record] = found;
        // By one block of those that need it: the first of the tile where the group begins.
        if (blockIdx.y != 0 || (first + record) * p.each < p.first) return;
        const long long at = p.sample * o.groups + first + record;
        write(o.mean + at, found.mean), write(o.rstd + at, found.rstd);
      });
  __syncthreads();
  if (p.lane >= p.lanes) return;
  const Channels<E> channels(o, p, [&](int g) { return s.of[g - first]; });
  if (o.act)
    outputs<E, true>(o, p, channels);
  else
    outputs<E, false>(o, p, channels);
}

GT_DEVICE Statistics found(const GroupNorm &o, long long sample, int group) {
  const long long at = sample * o.groups + group;
  return {read(o.mean + at), read(o.rstd + at)};
}

// Calls body(pixel, raw x, raw dy) for the thread's pixels.
template <class E, class Body>
GT_DEVICE void pairs(const GroupNorm &o, const Place<E> &p, Body body) {
  using Raw = typename E::Raw;
  constexpr int many = unrolled / 2;
  for (int pixel = p.begin + p.lane; pixel < p.end; pixel += many * p.lanes) {
    Raw x[many], dy[many];
    GT_UNROLL
    for (int u = 0; u < many; u++) {
      if (pixel + u * p.lanes >= p.end) break;
      x[u] = read(p.template at<Raw>(o.x, o, pixel + u * p.lanes));
      dy[u] = read(p.template at<Raw>(o.dy, o, pixel + u * p.lanes));
    }
    GT_UNROLL
    for (int u = 0; u < many; u++)
      if (pixel + u * p.lanes < p.end) body(pixel + u * p.lanes, x[u], dy[u]);
  }
}

// Sums of a channel.
struct Sums {
  float dz, product, t;  // product: of dz t

  GT_INLINE void add(const Sums &b) { dz += b.dz, product += b.product, t += b.t; }
};

template <class E>
struct SumsMemory {
  float dz[E::count][threads], product[E::count][threads], t[E::count][threads];
  Gathering<Sums> all;
};

template <class E, bool act>
GT_DEVICE void thread_sums(const GroupNorm &o, const Place<E> &p, SumsMemory<E> &s) {
  using Raw = typename E::Raw;
  const Channels<E> channels(o, p, [&](int g) { return found(o, p.sample, g); });
  Sums sums[E::count] = {};
  pairs(o, p, [&](int, const Raw &x, const Raw &dy) {
    float v[E::count], d[E::count];
    E::widen(x, v), E::widen(dy, d);
    GT_UNROLL
    for (int i = 0; i < E::count; i++) {
      const float t = v[i] - channels.pivot[i] - channels.of[i].center;
      const float dz = channels.of[i].template backward<act>(t, d[i]);
      sums[i].add({dz, dz * t, t});
    }
  });
  GT_UNROLL
  for (int i = 0; i < E::count; i++) {
    s.dz[i][threadIdx.x] = sums[i].dz;
    s.product[i][threadIdx.x] = sums[i].product;
    s.t[i][threadIdx.x] = sums[i].t;
  }
}

// A channel's sums over a chunk.
GT_DEVICE float *sums_of(const GroupNorm &o, long long sample, int chunk, int c) {
  return o.sums + (sample * o.chunks + chunk) * o.channels + c;
}
// How far apart the three sums are.
GT_DEVICE long long plane(const GroupNorm &o) {
  return (long long)gridDim.x * o.chunks * o.channels;
}

template <class E>
GT_DEVICE void sums(const GroupNorm &o, SumsMemory<E> &s) {
  const Place<E> p(o);
  if (p.lane < p.lanes) {
    if (o.act)
      thread_sums<E, true>(o, p, s);
    else
      thread_sums<E, false>(o, p, s);
  }
  __syncthreads();
  gather(
      s.all, p.channels(), p.lanes,
      [&](int c, int l) {
        const int thread = l * p.columns + c / E::count, i = c % E::count;
        return Sums{s.dz[i][thread], s.product[i][thread], s.t[i][thread]};
      },
      [&](int c, const Sums &all) {
        float *to = sums_of(o, p.sample, (int)blockIdx.y, p.first + c);
        write(to, all.dz), write(to + plane(o), all.product), write(to + 2 * plane(o), all.t);
      });
}

// What dx takes away from scale dz: t slope + level.
struct Correction {
  float slope, level;
};

template <class E>
struct BackwardMemory {
  Correction of[E::count * threads];  // the tile's groups
  Gathering<Sums> all;
};

template <class E, bool act>
GT_DEVICE void inputs(const GroupNorm &o, const Place<E> &p, BackwardMemory<E> &s) {
  using Raw = typename E::Raw;
  const Channels<E> channels(o, p, [&](int g) { return found(o, p.sample, g); });
  Correction fix[E::count];
  GT_UNROLL
  for (int i = 0; i < E::count; i++) fix[i] = s.of[p.group(i) - p.first_group()];
  pairs(o, p, [&](int pixel, const Raw &x, const Raw &dy) {
    float v[E::count], d[E::count];
    E::widen(x, v), E::widen(dy, d);
    GT_UNROLL
    for (int i = 0; i < E::count; i++) {
      const float t = v[i] - channels.pivot[i] - channels.of[i].center;
      const float dz = channels.of[i].template backward<act>(t, d[i]);
      v[i] = channels.of[i].input(t, dz, fix[i].slope, fix[i].level);
    }
    if (o.rest) {
      E::widen(read(p.template at<Raw>(o.rest, o, pixel)), d);
      GT_UNROLL
      for (int i = 0; i < E::count; i++) v[i] += d[i];
    }
    write((Raw *)p.template at<Raw>(o.dx, o, pixel), E::narrow(v));
  });
}

// The sums of a channel over all pixels, which the gradients of what it is scaled with
// and of what is added to it are made of.
template <class E>
GT_DEVICE void channel(const GroupNorm &o, const Place<E> &p, int c, const Correction &fix) {
  Sums all = {};
  for (int chunk = 0; chunk < o.chunks; chunk++) {
    const float *from = sums_of(o, p.sample, chunk, c);
    all.add({read(from), read(from + plane(o)), read(from + 2 * plane(o))});
  }
  const float rstd = found(o, p.sample, c / p.each).rstd;
  const long long at = p.sample * o.channels + c;
  write(o.dbias + at, all.dz), write(o.dweight + at, all.product * rstd);
  if (!o.dshift) return;
  const Channel<float> k = {0, rstd * number(o.weight, c, 1), 0};
  write(o.dshift + at, k.input(all.t, all.dz, fix.slope, fix.level * (float)o.pixels));
}

template <class E>
GT_DEVICE void backward(const GroupNorm &o, BackwardMemory<E> &s) {
  const Place<E> p(o);
  const int first = p.first_group();
  gather(
      s.all, p.tile_groups(), o.chunks * p.each,
      [&](int record, int i) {
        const int c = (first + record) * p.each + i % p.each;
        const float *from = sums_of(o, p.sample, i / p.each, c);
        const float w = number(o.weight, c, 1);
        return Sums{w * read(from), w * read(from + plane(o)), 0};
      },
      [&](int record, const Sums &all) {
        const float rstd = found(o, p.sample, first + record).rstd;
        const float n = (float)p.each * (float)o.pixels;
        s.of[record] = {rstd * rstd * rstd * (all.product / n), rstd * (all.dz / n)};
      });
  __syncthreads();
  if (blockIdx.y == 0)
    for (int c = p.first + (int)threadIdx.x; c < p.first + p.channels(); c += threads)
      channel(o, p, c, s.of[c / p.each - first]);
  if (p.lane >= p.lanes) return;
  if (o.act)
    inputs<E, true>(o, p, s);
  else
    inputs<E, false>(o, p, s);
}

}  // namespace
}  // namespace group_norm
