// The loops on [channels,pixels]: a channel's pixels lie in a row. Part of
// groupnorm_loops.h.
namespace {
namespace rows {

constexpr int chains = 4;                           // sums side by side, as each waits for itself
constexpr int64_t block = 256 * chains * GT_WIDTH;  // elements that are summed in float32

// Where the elements of a vector are: it is full; or it ends the row, and its
// first elements were seen before; or the row has no more than its first n.
enum Fit { full, overlapping, partial };

template <Fit fit, class T>
GT_FN Floats get(const T *p, int64_t n) {
  if constexpr (fit == partial) return load(p, n);
  return load(p);
}
template <Fit fit, class T>
GT_FN void put(T *p, Floats v, int64_t n) {
  if constexpr (fit == partial)
    store(p, v, n);
  else
    store(p, v);
}
// v with 0 for elements that are not new.
template <Fit fit>
GT_FN Floats fresh(Floats v, int64_t n) {
  if constexpr (fit == partial) return first(v, n);
  if constexpr (fit == overlapping) return ::last(v, n);
  return v;
}

// Calls body<fit>(where, new elements, chain) for the vectors of n elements.
template <class Body>
GT_FN void each(int64_t n, Body body) {
  int64_t i = 0;
  for (; i + chains * width <= n; i += chains * width)
    for (int k = 0; k < chains; k++) body.template operator()<full>(i + k * width, width, k);
  for (; i + width <= n; i += width) body.template operator()<full>(i, width, 0);
  if (i == n) return;
  if (n >= width)
    body.template operator()<overlapping>(n - width, n - i, 0);
  else
    body.template operator()<partial>(0, n, 0);
}

// Calls body(begin, end) for the blocks of a row of n elements.
template <class Body>
GT_FN void blocks(int64_t n, Body body) {
  for (int64_t from = 0; from < n; from += block) body(from, from + block < n ? block : n - from);
}

GT_FN float total(const Floats *v) {
  Floats s = v[0];
  for (int k = 1; k < chains; k++) s += v[k];
  return sum(s);
}

GT_FN Channel<Floats> spread(Channel<float> c) {
  return {splat(c.center), splat(c.scale), splat(c.bias)};
}

template <class T>
void moments(const GroupNorm &o, const Piece &p) {
  Moments found;
  for (int64_t c = p.begin; c < p.end; c++) {
    const T *x = (const T *)o.x + (p.sample * o.channels + c) * o.pixels;
    const float k = number(x);  // about the mean
    double sums = 0, squares = 0;
    blocks(o.pixels, [&](int64_t from, int64_t n) {
      Floats s[chains] = {}, q[chains] = {};
      each(n, [&]<Fit fit>(int64_t at, int64_t m, int chain) {
        Floats d = fresh<fit>(get<fit>(x + from + at, m) - k, m);
        s[chain] += d;
        q[chain] += d * d;
      });
      sums += total(s), squares += total(q);
    });
    found.add((double)o.pixels, k + shift(o, p.sample, c), sums, squares);
    found.finish(o, p.sample, c);
  }
}

template <class T, bool act>
void forward(const GroupNorm &o, const Piece &p) {
  moments<T>(o, p);
  for (int64_t c = p.begin; c < p.end; c++) {
    int64_t start = (p.sample * o.channels + c) * o.pixels;
    const T *x = (const T *)o.x + start;
    T *y = (T *)o.y + start;
    const Channel<Floats> k = spread(channel(o, p.sample, c));
    each(o.pixels, [&]<Fit fit>(int64_t at, int64_t m, int) {
      put<fit>(y + at, k.template forward<act>(get<fit>(x + at, m)), m);
    });
  }
}

// dbias and dweight of the piece's channels. The gradients at the normalisation's
// output are left in dx where they are not dy itself. They are summed as they are left there: what
// is taken off them is their mean then, to the last bit.
template <class T, bool act>
void sums(const GroupNorm &o, const Piece &p) {
  for (int64_t c = p.begin; c < p.end; c++) {
    int64_t at = p.sample * o.channels + c;
    const T *x = (const T *)o.x + at * o.pixels, *dy = (const T *)o.dy + at * o.pixels;
    T *dx = (T *)o.dx + at * o.pixels;
    const Channel<Floats> k = spread(channel(o, p.sample, c));
    double sums = 0, products = 0;
    blocks(o.pixels, [&](int64_t from, int64_t n) {
      Floats s[chains] = {}, q[chains] = {};
      each(n, [&]<Fit fit>(int64_t i, int64_t m, int chain) {
        Floats t = get<fit>(x + from + i, m) - k.center;
        Floats dz = rounded<T>(k.template backward<act>(t, get<fit>(dy + from + i, m)));
        if constexpr (act) put<fit>(dx + from + i, dz, m);
        dz = fresh<fit>(dz, m);
        s[chain] += dz;
        q[chain] += dz * t;
      });
      sums += total(s), products += total(q);
    });
    double rstd = o.rstd[p.sample * o.groups + group(o, c)];
    o.dbias[at] = (float)sums;
    o.dweight[at] = (float)(products * rstd);
  }
}

template <class T, bool act>
void backward(const GroupNorm &o, const Piece &p) {
  sums<T, act>(o, p);
  for (int64_t c = p.begin; c < p.end; c++) {
    int64_t at = p.sample * o.channels + c;
    const T *x = (const T *)o.x + at * o.pixels;
    T *dx = (T *)o.dx + at * o.pixels;
    const T *given = act ? dx : (const T *)o.dy + at * o.pixels;
    const T *rest = o.rest ? (const T *)o.rest + at * o.pixels : nullptr;
    // Taken before what it overlaps with is overwritten.
    const Floats end = o.pixels < width ? Floats{} : load(given + o.pixels - width);
    const Channel<Floats> k = spread(channel(o, p.sample, c));
    const Correction fix = correction(o, p.sample, c);
    const Floats slope = splat(fix.slope), level = splat(fix.level);
    double sums = 0;
    blocks(o.pixels, [&](int64_t from, int64_t n) {
      Floats s[chains] = {};
      each(n, [&]<Fit fit>(int64_t i, int64_t m, int chain) {
        Floats t = get<fit>(x + from + i, m) - k.center;
        Floats dz = fit == overlapping ? end : get<fit>(given + from + i, m);
        Floats d = k.input(t, dz, slope, level);
        s[chain] += fresh<fit>(d, m);
        if (rest) d += get<fit>(rest + from + i, m);
        put<fit>(dx + from + i, d, m);
      });
      sums += total(s);
    });
    if (o.dshift) o.dshift[at] = (float)sums;
  }
}

}  // namespace rows
}  // namespace
