// Products of blocks of matrices, for attention: C = A B or C += A B, all sizes
// multiples of 32. Part of attention_loops.h.
namespace {

// In float32. A: [M,K] with rows lda apart, B: [K,N], C: [M,N].
struct InFloats {
  using Element = float;
  static constexpr int pair = 1;

  static void begin() {}
  static void end() {}

  static void product(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
                      int64_t ldb, float *c, int64_t ldc, bool add) {
    constexpr int rows = GT_WIDTH == 16 ? 8 : 4, vectors = 2;  // as many sums as stay in registers
    for (int64_t j = 0; j < n; j += vectors * width)
      for (int64_t i = 0; i < m; i += rows) {
        Floats sum[rows][vectors];
        for (int r = 0; r < rows; r++)
          for (int v = 0; v < vectors; v++)
            sum[r][v] = add ? load(c + (i + r) * ldc + j + v * width) : Floats{};
        const float *left = a + i * lda, *right = b + j;
        for (int64_t l = 0; l < k; l++, left++, right += ldb) {
          Floats by[vectors];
          for (int v = 0; v < vectors; v++) by[v] = load(right + v * width);
          for (int r = 0; r < rows; r++)
            for (int v = 0; v < vectors; v++) sum[r][v] += left[r * lda] * by[v];
        }
        for (int r = 0; r < rows; r++)
          for (int v = 0; v < vectors; v++) store(c + (i + r) * ldc + j + v * width, sum[r][v]);
      }
  }
};

#ifdef __AMX_BF16__

// In bf16 by tiles of AMX, summed in float32. A: [M,K], B: [K/2,N,2]: two rows
// side by side, which ldb counts as one number.
struct InTiles {
  using Element = bf16;
  static constexpr int pair = 2;

  static void begin() {
    struct {
      uint8_t palette = 1, start = 0, reserved[14] = {};
      uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } config;
    _tile_loadconfig(&config);
  }
  static void end() { _tile_release(); }

  static void product(int64_t m, int64_t n, int64_t k, const bf16 *a, int64_t lda, const bf16 *b,
                      int64_t ldb, float *c, int64_t ldc, bool add) {
    for (int64_t j = 0; j < n; j += 32)
      for (int64_t i = 0; i < m; i += 32) {
        float *out = c + i * ldc + j;
        if (add) {
          _tile_loadd(0, out, 4 * ldc);
          _tile_loadd(1, out + 16, 4 * ldc);
          _tile_loadd(2, out + 16 * ldc, 4 * ldc);
          _tile_loadd(3, out + 16 * ldc + 16, 4 * ldc);
        } else {
          _tile_zero(0);
          _tile_zero(1);
          _tile_zero(2);
          _tile_zero(3);
        }
        const bf16 *left = a + i * lda, *right = b + 2 * j;
        for (int64_t l = 0; l < k; l += 32, left += 32, right += 32 * ldb) {
          _tile_loadd(4, left, 2 * lda);
          _tile_loadd(6, right, 4 * ldb);
          _tile_loadd(7, right + 32, 4 * ldb);
          _tile_loadd(5, left + 16 * lda, 2 * lda);
          _tile_dpbf16ps(0, 4, 6);
          _tile_dpbf16ps(1, 4, 7);
          _tile_dpbf16ps(2, 5, 6);
          _tile_dpbf16ps(3, 5, 7);
        }
        _tile_stored(0, out, 4 * ldc);
        _tile_stored(1, out + 16, 4 * ldc);
        _tile_stored(2, out + 16 * ldc, 4 * ldc);
        _tile_stored(3, out + 16 * ldc + 16, 4 * ldc);
      }
  }
};

#endif

}  // namespace
