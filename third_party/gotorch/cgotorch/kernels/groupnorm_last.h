// The loops on [pixels,channels]: tiles of some vectors of channels, each down
// all pixels. Part of groupnorm_loops.h.
namespace {
namespace last {

constexpr int64_t block = 256;  // pixels that are summed in float32

// Vectors in a tile, so that what they need stays in registers.
constexpr int wide = 4, narrow = GT_WIDTH == 16 ? 4 : 2;

// Calls body<vectors, part>(first channel, number of channels) for all tiles; part:
// the one vector is not full.
template <int vectors, class Body>
void tiles(const Piece &p, Body body) {
  int64_t c = p.begin;
  for (; c + vectors * width <= p.end; c += vectors * width)
    body.template operator()<vectors, false>(c, vectors * width);
  for (; c + width <= p.end; c += width) body.template operator()<1, false>(c, width);
  if (c < p.end) body.template operator()<1, true>(c, p.end - c);
}

template <bool part, class T>
GT_FN Floats get(const T *p, int64_t n) {
  if constexpr (part) return load(p, n);
  return load(p);
}
template <bool part, class T>
GT_FN void put(T *p, Floats v, int64_t n) {
  if constexpr (part)
    store(p, v, n);
  else
    store(p, v);
}

// A number for each channel of a tile.
template <int vectors>
struct Tile {
  float of[vectors * GT_WIDTH] = {};
  GT_INLINE Floats vector(int i) const { return load(of + i * width); }
};

template <int vectors>
struct Channels {
  Channel<Floats> of[vectors];

  Channels(const GroupNorm &o, int64_t sample, int64_t c, int64_t n) {
    Tile<vectors> center, scale, bias;
    for (int64_t i = 0; i < n; i++) {
      Channel<float> one = channel(o, sample, c + i);
      center.of[i] = one.center, scale.of[i] = one.scale, bias.of[i] = one.bias;
    }
    for (int i = 0; i < vectors; i++) of[i] = {center.vector(i), scale.vector(i), bias.vector(i)};
  }
};

// Sums of a tile's channels over all pixels.
template <int vectors>
struct Sums {
  double of[vectors * GT_WIDTH] = {};

  GT_INLINE void add(const Floats *v) {
    for (int i = 0; i < vectors; i++)
      for (int k = 0; k < width; k++) of[i * width + k] += v[i][k];
  }
};

template <class T>
void moments(const GroupNorm &o, const Piece &p) {
  const T *x = (const T *)o.x + p.sample * o.pixels * o.channels;
  Moments found;
  tiles<wide>(p, [&]<int vectors, bool part>(int64_t c, int64_t n) {
    Sums<vectors> sums, squares;
    Floats k[vectors];  // about the mean: the first pixel
    for (int i = 0; i < vectors; i++) k[i] = get<part>(x + c + i * width, n);
    for (int64_t from = 0; from < o.pixels; from += block) {
      int64_t to = from + block < o.pixels ? from + block : o.pixels;
      Floats s[vectors] = {}, q[vectors] = {};
      for (int64_t pixel = from; pixel < to; pixel++) {
        const T *row = x + pixel * o.channels + c;
        for (int i = 0; i < vectors; i++) {
          Floats d = get<part>(row + i * width, n) - k[i];
          s[i] += d;
          q[i] += d * d;
        }
      }
      sums.add(s), squares.add(q);
    }
    for (int64_t i = 0; i < n; i++) {
      found.add((double)o.pixels, k[i / width][i % width] + shift(o, p.sample, c + i), sums.of[i],
                squares.of[i]);
      found.finish(o, p.sample, c + i);
    }
  });
}

template <class T, bool act>
void forward(const GroupNorm &o, const Piece &p) {
  moments<T>(o, p);
  int64_t start = p.sample * o.pixels * o.channels;
  const T *x = (const T *)o.x + start;
  T *y = (T *)o.y + start;
  tiles<wide>(p, [&]<int vectors, bool part>(int64_t c, int64_t n) {
    const Channels<vectors> channels(o, p.sample, c, n);
    for (int64_t pixel = 0; pixel < o.pixels; pixel++) {
      int64_t at = pixel * o.channels + c;
      for (int i = 0; i < vectors; i++)
        put<part>(y + at + i * width,
                  channels.of[i].template forward<act>(get<part>(x + at + i * width, n)), n);
    }
  });
}

// dbias and dweight of the piece's channels. The gradients at the normalisation's
// output are left in dx where they are not dy itself. They are summed as they are left there: what
// is taken off them is their mean then, to the last bit.
template <class T, bool act>
void sums(const GroupNorm &o, const Piece &p) {
  int64_t start = p.sample * o.pixels * o.channels;
  const T *x = (const T *)o.x + start, *dy = (const T *)o.dy + start;
  T *dx = (T *)o.dx + start;
  tiles<narrow>(p, [&]<int vectors, bool part>(int64_t c, int64_t n) {
    const Channels<vectors> channels(o, p.sample, c, n);
    Sums<vectors> sums, products;
    for (int64_t from = 0; from < o.pixels; from += block) {
      int64_t to = from + block < o.pixels ? from + block : o.pixels;
      Floats s[vectors] = {}, q[vectors] = {};
      for (int64_t pixel = from; pixel < to; pixel++) {
        int64_t at = pixel * o.channels + c;
        for (int i = 0; i < vectors; i++) {
          Floats t = get<part>(x + at + i * width, n) - channels.of[i].center;
          Floats dz = channels.of[i].template backward<act>(t, get<part>(dy + at + i * width, n));
          dz = rounded<T>(dz);
          if constexpr (act) put<part>(dx + at + i * width, dz, n);
          s[i] += dz;
          q[i] += dz * t;
        }
      }
      sums.add(s), products.add(q);
    }
    for (int64_t i = 0; i < n; i++) {
      int64_t at = p.sample * o.channels + c + i;
      double rstd = o.rstd[p.sample * o.groups + group(o, c + i)];
      o.dbias[at] = (float)sums.of[i];
      o.dweight[at] = (float)(products.of[i] * rstd);
    }
  });
}

template <class T, bool act>
void backward(const GroupNorm &o, const Piece &p) {
  sums<T, act>(o, p);
  int64_t start = p.sample * o.pixels * o.channels;
  const T *x = (const T *)o.x + start;
  T *dx = (T *)o.dx + start;
  const T *given = act ? dx : (const T *)o.dy + start;
  const T *rest = o.rest ? (const T *)o.rest + start : nullptr;
  tiles<narrow>(p, [&]<int vectors, bool part>(int64_t c, int64_t n) {
    const Channels<vectors> channels(o, p.sample, c, n);
    Tile<vectors> slope, level;
    for (int64_t i = 0; i < n; i++) {
      Correction k = correction(o, p.sample, c + i);
      slope.of[i] = k.slope, level.of[i] = k.level;
    }
    Sums<vectors> sums;
    for (int64_t from = 0; from < o.pixels; from += block) {
      int64_t to = from + block < o.pixels ? from + block : o.pixels;
      Floats s[vectors] = {};
      for (int64_t pixel = from; pixel < to; pixel++) {
        int64_t at = pixel * o.channels + c;
        for (int i = 0; i < vectors; i++) {
          const Channel<Floats> &k = channels.of[i];
          Floats t = get<part>(x + at + i * width, n) - k.center;
          Floats dz = get<part>(given + at + i * width, n);
          Floats d = k.input(t, dz, slope.vector(i), level.vector(i));
          s[i] += d;
          if (rest) d += get<part>(rest + at + i * width, n);
          put<part>(dx + at + i * width, d, n);
        }
      }
      sums.add(s);
    }
    if (o.dshift)
      for (int64_t i = 0; i < n; i++) o.dshift[p.sample * o.channels + c + i] = (float)sums.of[i];
  });
}

}  // namespace last
}  // namespace
