// The gradient at a convolution's weights by tiles of AMX:
//
//	dW[o,i,tap] = sum over samples n and pixels p of dy[n,p,o] x[n,p + tap,i]
//
// A product of tiles sums over 32 numbers, which here are 32 samples at one pixel.
// So a tap is another pixel's tile: nothing is shifted inside of one, edges cost
// nothing, and strides are steps. A chunk of rows of dy, transposed, and the rows of x
// that it needs, pairs of samples side by side, stay in the second-level cache with
// the sums of a block of channels; rows of x that the next chunk needs, too, are kept.
#include "conv_weights.h"
#include "tiles.h"

namespace {

using gt::ConvWeights;

constexpr int64_t couple = 2 * tile_elements;  // of two tiles, which hold a pixel's 32 channels

// A row of pixels of up to 32 samples -> [block/32,...,pixels,2,16,16,2]: channels and
// pairs of samples. What is beyond the last sample or channel is 0.
struct Row {
  int64_t sample, pixel;      // distances of samples and of pixels
  int64_t samples, pixels;    // that there are
  int64_t channel, channels;  // the first, and all that there are
  int64_t block, apart;       // of how many channels, and how far apart are its couples

  void pack(const bf16 *from, bf16 *to) const {
    for (int64_t n = 0; n < ConvWeights::group; n += 2)
      for (int64_t x = 0; x < pixels; x++) {
        const bf16 *a = from + n * sample + x * pixel, *b = a + sample;
        bf16 *out = to + x * couple + n * 16;
        for (int64_t c = channel; c < channel + block; c += 32, out += apart) {
          int64_t left = channels - c;
          __mmask32 some = left >= 32 ? ~0u : left <= 0 ? 0u : (1u << left) - 1;
          __m512i u = _mm512_maskz_loadu_epi16(n < samples ? some : 0, a + c);
          __m512i v = _mm512_maskz_loadu_epi16(n + 1 < samples ? some : 0, b + c);
          for (int j = 0; j < 2; j++)
            _mm512_storeu_si512(out + j * tile_elements, side_by_side(u, v, j));
        }
      }
  }
};

// 16 pairs of 16 channels -> 16 channels of 16 pairs.
// (transpose_tile is slower where rows are neighbours, and this one where they are not.)
GT_FN void transpose(bf16 *p) {
  __m512i part[16];
  // Rows q, q + 4, q + 8, q + 12: their fours c side by side.
  for (int q = 0; q < 4; q++)
    for (int c = 0; c < 4; c++) {
      const bf16 *at = p + 32 * q + 8 * c;
      __m512i v = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)at));
      v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(at + 128)), 1);
      v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(at + 256)), 2);
      part[4 * c + q] = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(at + 384)), 3);
    }
  for (int c = 0; c < 16; c += 4) {
    __m512i a = _mm512_unpacklo_epi32(part[c], part[c + 1]);
    __m512i b = _mm512_unpackhi_epi32(part[c], part[c + 1]);
    __m512i d = _mm512_unpacklo_epi32(part[c + 2], part[c + 3]);
    __m512i e = _mm512_unpackhi_epi32(part[c + 2], part[c + 3]);
    _mm512_storeu_si512(p + 32 * c, _mm512_unpacklo_epi64(a, d));
    _mm512_storeu_si512(p + 32 * c + 32, _mm512_unpackhi_epi64(a, d));
    _mm512_storeu_si512(p + 32 * c + 64, _mm512_unpacklo_epi64(b, e));
    _mm512_storeu_si512(p + 32 * c + 96, _mm512_unpackhi_epi64(b, e));
  }
}

// The sums over samples of 16 channels, which sum gains.
GT_FN void add_pairs(const bf16 *p, Floats *sum) {
  const __m512bh ones = (__m512bh)_mm512_set1_epi16(0x3f80);
  __m512 some[2] = {};
  for (int i = 0; i < 16; i++)
    some[i % 2] = _mm512_dpbf16_ps(some[i % 2], (__m512bh)_mm512_loadu_si512(p + 32 * i), ones);
  *sum += (Floats)(some[0] + some[1]);
}

struct Item {
  const ConvWeights &o;
  int64_t in, out;    // the block's first channels
  int64_t ins, outs;  // couples of tiles of channels that the block has
  bf16 *dy, *x;       // [block_out/32,rows,out_width,couple], [block_in/32,kept,width,couple]
  float *sums, *bias;

  int64_t dy_apart() const { return o.rows * o.out_width * couple; }
  int64_t x_apart() const { return o.kept * o.width * couple; }

  void run(int64_t begin, int64_t end) {
    for (int64_t c = 0; bias && c < 32 * outs; c++) bias[c] = 0;
    int64_t packed = 0;
    for (int64_t u = begin; u < end; u += o.rows) {
      int64_t next = u + o.rows < end ? u + o.rows : end;
      pack_dy(u, next);
      int64_t first = o.first(u), last = o.end(next - 1);
      if (packed < first) packed = first;
      for (; packed < last; packed++) pack_x(packed);
      multiply(u, next, u > begin);
    }
  }

  void pack_dy(int64_t begin, int64_t end) {
    const int64_t row = o.out_width * o.out, sample = o.out_height * row;
    for (int64_t u = begin; u < end; u++) {
      int64_t n = u / o.out_height * o.group;
      Row{sample, o.out, o.samples - n, o.out_width, out, o.out, 32 * outs, dy_apart()}.pack(
          (const bf16 *)o.dy + n * sample + u % o.out_height * row,
          dy + (u - begin) * o.out_width * couple);
    }
    for (int64_t op = 0; op < outs; op++) {
      bf16 *p = dy + op * dy_apart();
      Floats sum[2] = {};
      for (int64_t k = 0; k < 2 * (end - begin) * o.out_width; k++, p += tile_elements) {
        if (bias) add_pairs(p, &sum[k % 2]);
        transpose(p);
      }
      for (int i = 0; bias && i < 2; i++) {
        float *b = bias + 32 * op + 16 * i;
        store(b, load(b) + sum[i]);
      }
    }
  }

  void pack_x(int64_t l) {
    const int64_t row = o.width * o.in, sample = o.height * row, n = l / o.height * o.group;
    Row{sample, o.in, o.samples - n, o.width, in, o.in, 32 * ins, x_apart()}.pack(
        (const bf16 *)o.x + n * sample + l % o.height * row, x + l % o.kept * o.width * couple);
  }

  // What rows begin to end of dy give; add: to the sums that there are.
  void multiply(int64_t begin, int64_t end, bool add) const {
    // Where the row is that a tap sees; -1: outside of the image.
    int64_t place[ConvWeights::most_rows * ConvWeights::most_taps], *at = place;
    for (int64_t u = begin; u < end; u++)
      for (int64_t down = 0; down < o.taps_down; down++) {
        int64_t r = o.seen(u, down);
        bool outside = r < 0 || r >= o.height;
        *at++ = outside ? -1 : (u / o.out_height * o.height + r) % o.kept * o.width * couple;
      }
    for (int64_t op = 0; op < outs; op++)
      for (int64_t ip = 0; ip < ins; ip++) {
        float *sum = sums + (op * (o.block_in / 32) + ip) * o.taps() * couple;
        const bf16 *a = dy + op * dy_apart(), *b = x + ip * x_apart();
        for (int64_t down = 0; down < o.taps_down; down++)
          for (int64_t across = 0; across < o.taps_across; across++, sum += couple)
            tap(a, b, place + down, end - begin, across - o.padding, sum, add);
      }
  }

  // A tap of 32 by 32 channels; shift: of columns.
  void tap(const bf16 *a, const bf16 *b, const int64_t *place, int64_t rows, int64_t shift,
           float *sum, bool add) const {
    const Sums sums = {sum, tile, tile * tile, 2 * tile * tile};
    load_sums(sums, add);
    // Columns of dy that see one of x.
    int64_t from = 0, to = o.out_width;
    while (from < to && from * o.stride + shift < 0) from++;
    while (to > from && (to - 1) * o.stride + shift >= o.width) to--;
    for (int64_t u = 0; u < rows; u++, a += o.out_width * couple, place += o.taps_down) {
      if (*place < 0) continue;
      const bf16 *left = a + from * couple,
                 *right = b + *place + (from * o.stride + shift) * couple;
      for (int64_t k = from; k < to; k++, left += couple, right += o.stride * couple)
        add_products({left, side, tile_elements, 0}, {right, tile_elements, 0});
    }
    store_sums(sums);
  }
};

GT_FN int64_t couples(int64_t all, int64_t first, int64_t block) {
  int64_t left = all - first;
  return ((left < block ? left : block) + 31) / 32;
}

void multiply(const ConvWeights &o, int64_t begin, int64_t end, void *scratch) {
  begin_tiles();
  bf16 *dy = (bf16 *)scratch, *x = dy + o.packed_dy();
  for (int64_t i = begin; i < end; i++) {
    int64_t part = i % o.parts, block = i / o.parts;
    int64_t in = block % o.blocks_in() * o.block_in, out = block / o.blocks_in() * o.block_out;
    Item item = {o,  in, out, couples(o.in, in, o.block_in), couples(o.out, out, o.block_out),
                 dy, x};
    item.sums = o.sums + (part * o.blocks() + block) * o.block_sums();
    item.bias = o.bias && in == 0 ? o.bias + part * o.all_out() + out : nullptr;
    item.run(part * o.all_rows() / o.parts, (part + 1) * o.all_rows() / o.parts);
  }
  end_tiles();
}

void finish(const ConvWeights &o, int64_t begin, int64_t end) {
  bf16 some[ConvWeights::most_taps * ConvWeights::most_taps * 16];  // of each tap 16 channels
  const int64_t taps = o.taps(), apart = o.blocks() * o.block_sums();
  for (int64_t c = begin; c < end; c++) {
    bf16 *dw = (bf16 *)o.dw + c * o.in * taps;
    int64_t row = c % o.block_out;
    for (int64_t i = 0; i < o.in; i += 16) {
      int64_t column = i % o.block_in, block = c / o.block_out * o.blocks_in() + i / o.block_in;
      const float *sum = o.sums + block * o.block_sums() +
                         (row / 32 * (o.block_in / 32) + column / 32) * taps * couple +
                         row / 16 % 2 * 512 + column / 16 % 2 * 256 + row % 16 * 16;
      int64_t n = o.in - i < 16 ? o.in - i : 16;
      for (int64_t t = 0; t < taps; t++, sum += couple) {
        Floats all = load(sum);
        for (int64_t p = 1; p < o.parts; p++) all += load(sum + p * apart);
        if (!o.last)
          store(some + 16 * t, all);
        else if (n == 16)
          store(dw + t * o.in + i, all);
        else
          store(dw + t * o.in + i, all, n);
      }
      if (o.last) continue;
      for (int64_t k = 0; k < n; k++)
        for (int64_t t = 0; t < taps; t++) dw[(i + k) * taps + t] = some[16 * t + k];
    }
  }
}

}  // namespace

extern const gt::ConvWeightsLoops gt::conv_weights_amx = {multiply, finish};
