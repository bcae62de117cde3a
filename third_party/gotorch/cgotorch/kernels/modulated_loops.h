// The normalisation of tokens, scaled and shifted by numbers of their sample, and backward, for
// the processor that the including file is compiled for. Of a token, with means over its
// features:
//
//	s = x + gate branch, n = (s - mean s) / sqrt(var s + eps), y = n (1 + scale) + shift
//	dn = dy (1 + scale), ds = dsum + (dn - mean dn - n mean(dn n)) / sqrt(var s + eps)
//	dx = ds, dbranch = gate ds
//
// and, summed over a sample's tokens, dgate = branch ds, dshift = dy, dscale = dy n. A token is
// gone through several times while it is in the first-level cache.
#include "modulated.h"
#include "vector.h"

namespace {

using gt::Modulated;

// Calls body(sample, its first token, the token after its last, number of the block).
template <class Body>
GT_FN void blocks(const Modulated &o, int64_t begin, int64_t end, Body body) {
  const int64_t each = o.blocks_of_sample();
  for (int64_t i = begin; i < end; i++) {
    int64_t from = i % each * Modulated::block, to = from + Modulated::block;
    body(i / each, from, to < o.tokens ? to : o.tokens, i);
  }
}

template <class T, class S, bool gated>
void forward_as(const Modulated &o, int64_t begin, int64_t end, float *s) {
  const float by = 1.0f / (float)o.width;
  blocks(o, begin, end, [&](int64_t sample, int64_t from, int64_t to, int64_t) {
    const float *gate = o.gate + (gated ? sample * o.width : 0);
    const float *shift = o.shift + sample * o.width, *scale = o.scale + sample * o.width;
    for (int64_t t = from; t < to; t++) {
      const int64_t token = sample * o.tokens + t, at = token * o.width;
      Floats total = {};
      across(o.width, [&]<bool part>(int64_t c, int64_t n) {
        Floats v = get<part>((const T *)o.x + at + c, n);
        if constexpr (gated) {
          v = rounded<T>(v + get<part>(gate + c, n) * get<part>((const S *)o.branch + at + c, n));
          put<part>((T *)o.sum + at + c, v, n);
        }
        store(s + c, v);  // scratch has room for whole vectors
        total += v;
      });
      const float mean = sum(total) * by;
      Floats squares = {};
      across(o.width, [&]<bool part>(int64_t c, int64_t n) {
        Floats d = load(s + c) - mean;
        if constexpr (part) d = first(d, n);
        store(s + c, d);
        squares += d * d;
      });
      const float scaled = 1.0f / __builtin_sqrtf(sum(squares) * by + o.eps);
      o.mean[token] = mean, o.part[token] = scaled;
      across(o.width, [&]<bool part>(int64_t c, int64_t n) {
        Floats y =
            load(s + c) * scaled * (get<part>(scale + c, n) + 1.0f) + get<part>(shift + c, n);
        put<part>((S *)o.y + at + c, y, n);
      });
    }
  });
}

template <class T, class S, bool gated>
void backward_as(const Modulated &o, int64_t begin, int64_t end, float *scratch) {
  const float by = 1.0f / (float)o.width;
  float *norms = scratch, *slopes = scratch + o.width + 64;
  blocks(o, begin, end, [&](int64_t sample, int64_t from, int64_t to, int64_t block) {
    const float *gate = o.gate + (gated ? sample * o.width : 0),
                *scale = o.scale + sample * o.width;
    float *of_gate = o.sums + 3 * block * o.width, *of_shift = of_gate + o.width,
          *of_scale = of_shift + o.width;
    __builtin_memset(of_gate, 0, 3 * o.width * sizeof *of_gate);
    for (int64_t t = from; t < to; t++) {
      const int64_t token = sample * o.tokens + t, at = token * o.width;
      const float mean = o.mean[token], scaled = o.part[token];
      Floats slope = {}, along = {};
      across(o.width, [&]<bool part>(int64_t c, int64_t n) {
        Floats dy = get<part>((const S *)o.dy + at + c, n);
        Floats norm = (get<part>((const T *)o.x + at + c, n) - mean) * scaled;
        Floats d = dy * (get<part>(scale + c, n) + 1.0f);
        slope += d, along += d * norm;
        store(norms + c, norm), store(slopes + c, d);
        put<part>(of_shift + c, get<part>(of_shift + c, n) + dy, n);
        put<part>(of_scale + c, get<part>(of_scale + c, n) + dy * norm, n);
      });
      const float level = sum(slope) * by, tilt = sum(along) * by;
      across(o.width, [&]<bool part>(int64_t c, int64_t n) {
        Floats d = (load(slopes + c) - level - load(norms + c) * tilt) * scaled;
        if (o.dsum) d += get<part>((const T *)o.dsum + at + c, n);
        put<part>((T *)o.dx + at + c, d, n);
        if constexpr (gated) {
          put<part>((S *)o.dbranch + at + c, d * get<part>(gate + c, n), n);
          Floats more = d * get<part>((const S *)o.branch + at + c, n);
          put<part>(of_gate + c, get<part>(of_gate + c, n) + more, n);
        }
      });
    }
  });
}

template <class T, class S>
void forward_of(const Modulated &o, int64_t begin, int64_t end, float *scratch) {
  o.branch ? forward_as<T, S, true>(o, begin, end, scratch)
           : forward_as<T, S, false>(o, begin, end, scratch);
}
template <class T, class S>
void backward_of(const Modulated &o, int64_t begin, int64_t end, float *scratch) {
  o.branch ? backward_as<T, S, true>(o, begin, end, scratch)
           : backward_as<T, S, false>(o, begin, end, scratch);
}

void forward(const Modulated &o, int64_t begin, int64_t end, float *scratch) {
  auto loop = o.wide_half     ? o.narrow_half ? forward_of<bf16, bf16> : forward_of<bf16, float>
              : o.narrow_half ? forward_of<float, bf16>
                              : forward_of<float, float>;
  loop(o, begin, end, scratch);
}
void backward(const Modulated &o, int64_t begin, int64_t end, float *scratch) {
  auto loop = o.wide_half     ? o.narrow_half ? backward_of<bf16, bf16> : backward_of<bf16, float>
              : o.narrow_half ? backward_of<float, bf16>
                              : backward_of<float, float>;
  loop(o, begin, end, scratch);
}

}  // namespace
