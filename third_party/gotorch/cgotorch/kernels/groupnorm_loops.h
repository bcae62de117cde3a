// Group normalisation and SiLU, forward and backward, for the processor that
// the including file is compiled for.
//
// With t = x + shift - mean over a group of M elements, h = t rstd, z = h weight
// + bias, y = z or silu(z), and dz = dy or dy silu'(z):
//
//	dbias = sum dz, dweight = sum dz h              over samples and pixels
//	dx = rstd (weight dz - A/M - h B/M), dshift = sum dx      over pixels
//	A = sum weight dz, B = sum weight dz h               over the group
//
// Both directions go over the elements of a piece twice; a sample mostly stays
// in cache between, and dz where dx will be, rounded to its type: the exponential
// is what costs most. Sums are float32 over a block of elements and float64 over
// blocks, and never depend on the number of threads.
#include "groupnorm.h"
#include "vector.h"

namespace {

using gt::GroupNorm;

struct Piece {
  int64_t sample, begin, end;  // channels
};

Piece piece(const GroupNorm &o, int64_t i) {
  int64_t sample = i / o.pieces, k = i % o.pieces, each = o.channels / o.groups;
  return {sample, o.groups * k / o.pieces * each, o.groups * (k + 1) / o.pieces * each};
}

// The group of a channel. Divisions of 64 bits would be several times as slow.
int64_t group(const GroupNorm &o, int64_t c) {
  return (uint32_t)c / (uint32_t)(o.channels / o.groups);
}

// Sums of a group while its channels come one after the other.
struct Moments {
  double sum = 0, squares = 0;

  // n elements, given by the sums of x - k and its square, k as it is after the
  // shift.
  void add(double n, double k, double s, double q) {
    sum += s + n * k;
    squares += q + 2 * k * s + n * k * k;
  }
  // If c is the last channel of its group: what it was for, and a new start.
  void finish(const GroupNorm &o, int64_t sample, int64_t c) {
    int64_t g = group(o, c), each = o.channels / o.groups;
    if (c + 1 != (g + 1) * each) return;
    double n = (double)(each * o.pixels), mean = sum / n, variance = squares / n - mean * mean;
    int64_t at = sample * o.groups + g;
    o.mean[at] = (float)mean;
    o.rstd[at] = (float)(1 / __builtin_sqrt((variance < 0 ? 0 : variance) + o.eps));
    *this = {};
  }
};

double shift(const GroupNorm &o, int64_t sample, int64_t c) {
  return o.shift ? o.shift[sample * o.channels + c] : 0;
}

float weight(const GroupNorm &o, int64_t c) { return o.weight ? o.weight[c] : 1; }

Channel<float> channel(const GroupNorm &o, int64_t sample, int64_t c) {
  int64_t at = sample * o.groups + group(o, c);
  return {(float)(o.mean[at] - shift(o, sample, c)), o.rstd[at] * weight(o, c),
          o.bias ? o.bias[c] : 0};
}

// What dx takes away from scale dz: t slope + level.
struct Correction {
  float slope, level;
};

Correction correction(const GroupNorm &o, int64_t sample, int64_t c) {
  int64_t each = o.channels / o.groups, g = group(o, c);
  double a = 0, b = 0;
  for (int64_t i = g * each; i < (g + 1) * each; i++) {
    a += (double)weight(o, i) * o.dbias[sample * o.channels + i];
    b += (double)weight(o, i) * o.dweight[sample * o.channels + i];
  }
  double n = (double)(each * o.pixels), rstd = o.rstd[sample * o.groups + g];
  return {(float)(rstd * rstd * b / n), (float)(rstd * a / n)};
}

}  // namespace

#include "groupnorm_last.h"
#include "groupnorm_rows.h"

namespace {

template <class T, bool act>
void forward_as(const GroupNorm &o, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; i++) {
    if (o.channels_last)
      last::forward<T, act>(o, piece(o, i));
    else
      rows::forward<T, act>(o, piece(o, i));
  }
}

template <class T, bool act>
void backward_as(const GroupNorm &o, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; i++) {
    if (o.channels_last)
      last::backward<T, act>(o, piece(o, i));
    else
      rows::backward<T, act>(o, piece(o, i));
  }
}

void forward(const GroupNorm &o, int64_t begin, int64_t end) {
  if (o.half)
    o.act ? forward_as<bf16, true>(o, begin, end) : forward_as<bf16, false>(o, begin, end);
  else
    o.act ? forward_as<float, true>(o, begin, end) : forward_as<float, false>(o, begin, end);
}

void backward(const GroupNorm &o, int64_t begin, int64_t end) {
  if (o.half)
    o.act ? backward_as<bf16, true>(o, begin, end) : backward_as<bf16, false>(o, begin, end);
  else
    o.act ? backward_as<float, true>(o, begin, end) : backward_as<float, false>(o, begin, end);
}

}  // namespace
