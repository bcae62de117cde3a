// y = act(x + bias), and backward, for the processor that the including file is
// compiled for:
//
//	dx = dy act'(x + bias), dbias = sum dx over rows
//
// Rows are gone through one after the other, as they lie in memory; the sums of a
// block of them stay in the first-level cache.
#include "activation_loops.h"
#include "bias_silu.h"
#include "vector.h"

namespace {

using gt::Activation;
using gt::BiasSilu;

template <Activation act, class T, bool biased>
void forward_as(const BiasSilu &o, int64_t from, int64_t to) {
  for (int64_t row = from; row < to; row++) {
    const T *x = (const T *)o.x + row * o.columns;
    T *y = (T *)o.y + row * o.columns;
    across(o.columns, [&]<bool part>(int64_t c, int64_t n) {
      Floats z = get<part>(x + c, n);
      if constexpr (biased) z += get<part>(o.bias + c, n);
      put<part>(y + c, activated<act>(z), n);
    });
  }
}

template <Activation act, class T, bool biased>
void backward_as(const BiasSilu &o, int64_t from, int64_t to) {
  float *sums = o.sums ? o.sums + from / BiasSilu::block * o.columns : nullptr;
  for (int64_t row = from; row < to; row++) {
    const T *x = (const T *)o.x + row * o.columns, *dy = (const T *)o.dy + row * o.columns;
    T *dx = (T *)o.dx + row * o.columns;
    across(o.columns, [&]<bool part>(int64_t c, int64_t n) {
      Floats z = get<part>(x + c, n);
      if constexpr (biased) z += get<part>(o.bias + c, n);
      Floats d = get<part>(dy + c, n) * activation_slope<act>(z);
      put<part>(dx + c, d, n);
      if (sums) put<part>(sums + c, row == from ? d : d + get<part>(sums + c, n), n);
    });
  }
}

// Calls body(first row, row after the last) for the blocks.
template <class Body>
GT_FN void blocks(const BiasSilu &o, int64_t begin, int64_t end, Body body) {
  for (int64_t i = begin; i < end; i++) {
    int64_t to = (i + 1) * BiasSilu::block;
    body(i * BiasSilu::block, to < o.rows ? to : o.rows);
  }
}

template <Activation act>
void forward_of(const BiasSilu &o, int64_t from, int64_t to) {
  if (o.half)
    o.bias ? forward_as<act, bf16, true>(o, from, to) : forward_as<act, bf16, false>(o, from, to);
  else
    o.bias ? forward_as<act, float, true>(o, from, to) : forward_as<act, float, false>(o, from, to);
}

template <Activation act>
void backward_of(const BiasSilu &o, int64_t from, int64_t to) {
  if (o.half)
    o.bias ? backward_as<act, bf16, true>(o, from, to) : backward_as<act, bf16, false>(o, from, to);
  else
    o.bias ? backward_as<act, float, true>(o, from, to)
           : backward_as<act, float, false>(o, from, to);
}

void forward(const BiasSilu &o, int64_t begin, int64_t end) {
  const bool gelu = o.act == Activation::gelu;
  auto loop = gelu ? forward_of<Activation::gelu> : forward_of<Activation::silu>;
  blocks(o, begin, end, [&](int64_t from, int64_t to) { loop(o, from, to); });
}

void backward(const BiasSilu &o, int64_t begin, int64_t end) {
  const bool gelu = o.act == Activation::gelu;
  auto loop = gelu ? backward_of<Activation::gelu> : backward_of<Activation::silu>;
  blocks(o, begin, end, [&](int64_t from, int64_t to) { loop(o, from, to); });
}

}  // namespace
