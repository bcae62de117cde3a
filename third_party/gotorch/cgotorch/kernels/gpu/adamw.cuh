// AdamW, the average of the parameters and their rounding to bf16 on a GPU, of all parameters
// at once: what adamw_loops.h computes, with the same bits but at rows' ends.
//
//	squares  of the gradients, each block's sum
//	numbers  their norm, and what the step does by it, the loss and the step's turn
//	update   moves everything
//
// A block has a share of one parameter. Nothing is added atomically: equal operands give equal
// bits.
#include "kernels/gpu/device.cuh"

namespace {

GT_DEVICE float multiply_add(float a, float b, float c) { return fmaf(a, b, c); }
GT_DEVICE float product(float a, float b) {
#ifdef __CUDACC__
  return __fmul_rn(a, b);  // a plain one may become part of a sum
#else
  return a * b;
#endif
}
GT_DEVICE float root(float x) { return sqrtf(x); }
template <class F>
GT_DEVICE F same(float x) {
  return x;
}

}  // namespace

#include "kernels/adamw_arithmetic.h"

namespace adamw {
namespace {

using gt::gpu::AdamW;
using gt::gpu::AdamWNumbers;
using gt::gpu::AdamWParameter;
using gt::gpu::AdamWStep;

// The parameter that the block has a share of: the last that does not begin after it.
GT_DEVICE AdamWParameter of_block(const AdamW &o) {
  int low = 0;
  for (int high = o.parameters; high - low > 1;) {
    const int middle = (low + high) / 2;
    if (o.of[middle].first <= (int)blockIdx.x)
      low = middle;
    else
      high = middle;
  }
  return o.of[low];
}

// Calls body.at<E>(i) for the thread's part of the block's share of t: from i on, as many elements
// as one access gets, or one.
template <class Body>
GT_DEVICE void my_elements(const AdamWParameter &t, Body &body) {
  using Address = unsigned long long;
  const int begin = ((int)blockIdx.x - t.first) * AdamW::share, left = t.n - begin;
  const int end = begin + (left < AdamW::share ? left : AdamW::share);
  const Address all = (Address)t.param | (Address)t.grad | (Address)t.exp_avg |
                      (Address)t.exp_avg_sq | (Address)t.average | (Address)t.rounded << 1;
  const int many = all % 16 ? begin : end - (end - begin) % F32x4::count;
  for (int i = begin + (int)threadIdx.x * F32x4::count; i < many; i += threads * F32x4::count)
    body.template at<F32x4>(i);
  for (int i = many + (int)threadIdx.x; i < end; i += threads) body.template at<F32>(i);
}

template <class E>
GT_DEVICE void load(float *v, const float *p) {
  E::widen(read((const typename E::Raw *)p), v);
}
template <class E>
GT_DEVICE void store(float *p, const float *v) {
  write((typename E::Raw *)p, E::narrow(v));
}
GT_DEVICE void store_rounded(F32x4, void *to, int i, const float *v) {
  const unsigned long long low = halves(v[0], v[1]), high = halves(v[2], v[3]);
  write((unsigned long long *)((unsigned short *)to + i), low | high << 32);
}
GT_DEVICE void store_rounded(F32, void *to, int i, const float *v) {
  write((unsigned short *)to + i, Bf16::narrow(v));
}

struct Squares {
  double sum;

  GT_INLINE void add(const Squares &b) { sum += b.sum; }
};

struct Squaring {
  const float *grad;
  float sum;

  template <class E>
  GT_INLINE void at(int i) {
    float g[E::count];
    load<E>(g, grad + i);
    GT_UNROLL
    for (int k = 0; k < E::count; k++) sum += g[k] * g[k];
  }
};

GT_DEVICE void squares(const AdamW &o, Gathering<Squares> &s) {
  const AdamWParameter t = of_block(o);
  Squaring mine = {t.grad, 0};
  if (t.grad) my_elements(t, mine);
  // Of as many items as threads each takes its own.
  gather(
      s, 1, threads, [&](int, int) { return Squares{mine.sum}; },
      [&](int, const Squares &all) { write(o.squares + o.before + blockIdx.x, (float)all.sum); });
}

GT_DEVICE double power(double base, int n) {
  double all = 1;
  for (; n > 0; n /= 2, base *= base)
    if (n % 2) all *= base;
  return all;
}

// What a step does, of the squares' sum.
GT_DEVICE void make(const AdamWStep &o, double squares) {
  const float norm = (float)sqrt(squares), loss = read(o.loss);
  const long long k = read(o.next);
  const float rest = (norm + loss) * 0.0f;  // NaN where one is not finite
  const bool good = rest == rest;
  const int t = (int)read(o.count) + good;

  AdamWNumbers n = {};
  const double rate = read(o.rates + k);
  n.update = good;
  n.decay = o.weight_decay == 0 ? 1.0f : (float)(1 - rate * o.weight_decay);
  n.scale = (norm + 1e-6f) * o.inverse;  // gradients are divided by it
  n.scale = n.scale > 1.0f ? n.scale < 3.4028235e38f ? n.scale : 3.4028235e38f : 1.0f;
  n.first = (float)(1 - o.beta1), n.second = (float)(1 - o.beta2);
  n.beta2 = (float)o.beta2, n.eps = (float)o.eps;
  n.rate = (float)(-(rate / (1 - power(o.beta1, t))));
  n.correct = (float)sqrt(1 - power(o.beta2, t));
  n.weight = read(o.weights + k);

  write(&o.numbers->update, n.update), write(&o.numbers->decay, n.decay);
  write(&o.numbers->scale, n.scale), write(&o.numbers->first, n.first);
  write(&o.numbers->second, n.second), write(&o.numbers->beta2, n.beta2);
  write(&o.numbers->eps, n.eps), write(&o.numbers->rate, n.rate);
  write(&o.numbers->correct, n.correct), write(&o.numbers->weight, n.weight);
  write(o.count, (float)t);
  write(o.notes + k, loss), write(o.notes + o.steps + k, norm);
  write(o.next, k + 1);
}

GT_DEVICE AdamWNumbers numbers_of(const AdamW &o) {
  const AdamWNumbers *n = o.numbers;
  return {read(&n->update), read(&n->decay), read(&n->scale), read(&n->first),   read(&n->second),
          read(&n->beta2),  read(&n->eps),   read(&n->rate),  read(&n->correct), read(&n->weight)};
}

struct Updating {
  const AdamWParameter &t;
  const AdamWNumbers &n;

  template <class E>
  GT_INLINE void at(int i) {
    float p[E::count], g[E::count], m[E::count], v[E::count], average[E::count];
    load<E>(p, t.param + i);
    const bool moves = t.grad && n.update != 0;
    if (moves) load<E>(g, t.grad + i), load<E>(m, t.exp_avg + i), load<E>(v, t.exp_avg_sq + i);
    if (t.average) load<E>(average, t.average + i);
    if (moves) {
      GT_UNROLL
      for (int k = 0; k < E::count; k++) {
        if (n.scale != 1.0f) g[k] = g[k] / n.scale;
        adamw_step<false>(n, g[k], p[k], m[k], v[k]);
      }
      if (n.scale != 1.0f) store<E>(t.grad + i, g);
      store<E>(t.param + i, p), store<E>(t.exp_avg + i, m), store<E>(t.exp_avg_sq + i, v);
    }
    if (t.rounded) store_rounded(E{}, t.rounded, i, p);  // of whatever is there
    if (!t.average) return;
    GT_UNROLL
    for (int k = 0; k < E::count; k++) average[k] = towards(average[k], p[k], n.weight);
    store<E>(t.average + i, average);
  }
};

GT_DEVICE void numbers(const AdamWStep &o, Gathering<Squares> &s) {
  gather(
      s, 1, o.blocks, [&](int, int i) { return Squares{read(o.squares + i)}; },
      [&](int, const Squares &all) { make(o, all.sum); });
}

GT_DEVICE void update(const AdamW &o, Nothing &) {
  const AdamWParameter t = of_block(o);
  const AdamWNumbers n = numbers_of(o);
  Updating all = {t, n};
  my_elements(t, all);
}

}  // namespace
}  // namespace adamw
