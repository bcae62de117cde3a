// Products of blocks of matrices in float32, for attention: C = A B or C += A B, all sizes
// multiples of 32. Part of attention_loops.h.
namespace {

// A: [M,K] with rows lda apart, B: [K,N], C: [M,N].
void product(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
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

}  // namespace
