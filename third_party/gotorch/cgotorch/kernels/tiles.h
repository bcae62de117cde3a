// Products of bf16, summed in float32, by tiles of AMX: 16 rows of 64 bytes. For files
// that are compiled for a processor that has them.
//
// The left operand's tile is 16 rows of 32 elements; the right one's is 32 rows of 16
// columns, of which each line holds two rows side by side: [16,16,2].
#ifndef CGOTORCH_KERNELS_TILES_H_
#define CGOTORCH_KERNELS_TILES_H_

#include "vector.h"

namespace {

constexpr int64_t tile = 16, tile_elements = 512;
constexpr int64_t side = 32;  // of a square of 2 x 2 tiles, which a product is made of

// Around all that uses tiles, on each thread. The compiler believes that only the
// configuration's first 8 bytes are read: of one on the stack it leaves out the others.
GT_FN void begin_tiles() {
  static const struct {
    uint8_t palette = 1, start = 0, reserved[14] = {};
    uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  } config;
  _tile_loadconfig(&config);
}
GT_FN void end_tiles() { _tile_release(); }

// Where an operand's tiles lie, in elements: row after row (of the right operand they
// are 32 apart), the tile below or beside, and the next ones along what is summed.
struct Left {
  const bf16 *p;
  int64_t row, below, step;
};
struct Right {
  const bf16 *p;
  int64_t beside, step;
};

// Where the sums of a square's tiles lie, in elements: rows, the tiles beside and below.
struct Sums {
  float *p;
  int64_t row, beside, below;
};

// A product is load_sums, as they are or zeros, add_products for each 32 that are summed,
// and store_sums: the sums are in registers meanwhile. What the operands are made of is to
// be written before load_sums.
GT_FN void load_sums(Sums c, bool add) {
  __asm__ volatile("" ::: "memory");  // the compiler does not know that tiles are loaded from it
  if (add) {
    _tile_loadd(0, c.p, 4 * c.row);
    _tile_loadd(1, c.p + c.beside, 4 * c.row);
    _tile_loadd(2, c.p + c.below, 4 * c.row);
    _tile_loadd(3, c.p + c.below + c.beside, 4 * c.row);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
}
GT_FN void add_products(Left a, Right b) {
  _tile_loadd(4, a.p, 2 * a.row);
  _tile_loadd(6, b.p, 64);
  _tile_loadd(7, b.p + b.beside, 64);
  _tile_loadd(5, a.p + a.below, 2 * a.row);
  _tile_dpbf16ps(0, 4, 6);
  _tile_dpbf16ps(1, 4, 7);
  _tile_dpbf16ps(2, 5, 6);
  _tile_dpbf16ps(3, 5, 7);
}
GT_FN void store_sums(Sums c) {
  _tile_stored(0, c.p, 4 * c.row);
  _tile_stored(1, c.p + c.beside, 4 * c.row);
  _tile_stored(2, c.p + c.below, 4 * c.row);
  _tile_stored(3, c.p + c.below + c.beside, 4 * c.row);
}

// C = A B or C += A B of a square; steps: of 32 that are summed. After each it does
// meanwhile(step), for which the processor has time while it multiplies.
template <class Meanwhile>
GT_FN void square(Left a, Right b, int64_t steps, float *c, int64_t ldc, bool add,
                  Meanwhile meanwhile) {
  const Sums sums = {c, ldc, tile, tile * ldc};
  load_sums(sums, add);
  for (int64_t k = 0; k < steps; k++, a.p += a.step, b.p += b.step) {
    add_products(a, b);
    meanwhile(k);
  }
  store_sums(sums);
}
GT_FN void square(Left a, Right b, int64_t steps, float *c, int64_t ldc, bool add) {
  square(a, b, steps, c, ldc, add, [](int64_t) {});
}

// dst[c][r] = src[r][c] for 16 x 16 numbers of 32 bits; rows are so many bytes apart.
GT_FN void transpose_tile(const void *src, int64_t src_bytes, void *dst, int64_t dst_bytes) {
  __m512i a[16], b[16];
  for (int i = 0; i < 16; i++) a[i] = _mm512_loadu_si512((const char *)src + i * src_bytes);
  for (int i = 0; i < 16; i += 2) {
    b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
  }
  for (int i = 0; i < 16; i += 4)
    for (int k = 0; k < 2; k++) {
      a[i + 2 * k] = _mm512_unpacklo_epi64(b[i + k], b[i + k + 2]);
      a[i + 2 * k + 1] = _mm512_unpackhi_epi64(b[i + k], b[i + k + 2]);
    }
  for (int i = 0; i < 4; i++) {
    b[i] = _mm512_shuffle_i32x4(a[i], a[i + 4], 0x88);
    b[i + 4] = _mm512_shuffle_i32x4(a[i], a[i + 4], 0xdd);
    b[i + 8] = _mm512_shuffle_i32x4(a[i + 8], a[i + 12], 0x88);
    b[i + 12] = _mm512_shuffle_i32x4(a[i + 8], a[i + 12], 0xdd);
  }
  for (int i = 0; i < 8; i++) {
    a[i] = _mm512_shuffle_i32x4(b[i], b[i + 8], 0x88);
    a[i + 8] = _mm512_shuffle_i32x4(b[i], b[i + 8], 0xdd);
  }
  for (int i = 0; i < 16; i++) _mm512_storeu_si512((char *)dst + i * dst_bytes, a[i]);
}

// The elements of half j of rows a and b, side by side.
GT_FN __m512i side_by_side(__m512i a, __m512i b, int j) {
  const Words lane = (Words)lanes();
  return _mm512_permutex2var_epi16(a, (__m512i)(lane * 0x10001u + 0x200000u + 0x100010u * j), b);
}

// 32 rows of 16 elements, which are so many apart, as a tile of the right operand.
GT_FN void pair_rows(const bf16 *from, int64_t row, bf16 *to) {
  for (int i = 0; i < 16; i++, from += 2 * row, to += side) {
    __m512i a = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)from));
    __m512i b = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)(from + row)));
    _mm512_storeu_si512(to, side_by_side(a, b, 0));
  }
}

// v and, behind it, w.
GT_FN __m512i halved(Floats v, Floats w) { return (__m512i)_mm512_cvtne2ps_pbh(w, v); }

}  // namespace

#endif  // CGOTORCH_KERNELS_TILES_H_
