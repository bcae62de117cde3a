// A head's tokens as the products take them, and back. Part of attention_loops.h.
//
// A matrix of tokens is packed by rows: [T,C], or by columns: [C,T]. All dimensions
// are filled up with zeros to multiples of 32.
namespace {

constexpr int64_t unit = 32;
GT_FN int64_t padded(int64_t n) { return (n + unit - 1) / unit * unit; }

GT_FN void convert(const float *from, float *to, int64_t n) {
  __builtin_memcpy(to, from, n * sizeof *to);
}
GT_FN void convert(const bf16 *from, bf16 *to, int64_t n) {
  __builtin_memcpy(to, from, n * sizeof *to);
}
template <class T, class E>
GT_FN void convert(const T *from, E *to, int64_t n) {
  int64_t i = 0;
  for (; i + width <= n; i += width) store(to + i, load(from + i));
  if (i < n) store(to + i, load(from + i, n - i), n - i);
}

template <class T>
GT_FN void multiply(const float *from, float by, T *to, int64_t n) {
  int64_t i = 0;
  for (; i + width <= n; i += width) store(to + i, load(from + i) * by);
  if (i < n) store(to + i, load(from + i, n - i) * by, n - i);
}

// dst[c][r] = src[r][c]; rows in blocks whose lines stay in cache.
void transpose(const float *from, int64_t rows, int64_t columns, int64_t lds, float *to,
               int64_t ldd) {
  for (int64_t r = 0; r < rows; r += 16)
    for (int64_t c = 0; c < columns; c++) {
      float of[16];
      for (int k = 0; k < 16; k++) of[k] = from[(r + k) * lds + c];
      __builtin_memcpy(to + c * ldd + r, of, sizeof of);
    }
}

template <class E>
struct Pack {
  int64_t tokens, channels;    // as they are
  int64_t rows, columns, far;  // filled up; far: of rows of [C,T], so that they do not all fall
                               // into one place of the cache

  explicit Pack(const Attention &o)
      : tokens(o.tokens),
        channels(o.channels),
        rows(padded(o.tokens)),
        columns(padded(o.channels)),
        far(rows + unit) {}

  // The tokens at p -> [rows,columns].
  template <class T>
  void by_rows(const T *p, const Attention::Place &at, E *to) const {
    for (int64_t t = 0; t < tokens; t++) {
      E *row = to + t * columns;
      if (at.channel == 1) convert(p + t * at.token, row, channels);
      __builtin_memset(row + channels, 0, (columns - channels) * sizeof(E));
    }
    __builtin_memset(to + tokens * columns, 0, (rows - tokens) * columns * sizeof(E));
    if (at.channel == 1) return;
    E some[64];
    for (int64_t t = 0; t < tokens; t += 64) {
      int64_t n = t + 64 < tokens ? 64 : tokens - t;
      for (int64_t c = 0; c < channels; c++) {
        const T *from = p + t * at.token + c * at.channel;
        if (at.token == 1) {
          convert(from, some, n);
          for (int64_t k = 0; k < n; k++) to[(t + k) * columns + c] = some[k];
        } else {
          for (int64_t k = 0; k < n; k++)
            convert(from + k * at.token, to + (t + k) * columns + c, 1);
        }
      }
    }
  }
  // n rows of [n,columns] from token t on, times by -> the tokens at p.
  template <class T>
  void put(const float *from, int64_t t, int64_t n, float by, T *p,
           const Attention::Place &at) const {
    if (t + n > tokens) n = tokens - t;
    p += t * at.token;
    for (int64_t k = 0; k < n; k++, from += columns, p += at.token) {
      if (at.channel == 1) {
        multiply(from, by, p, channels);
      } else {
        for (int64_t c = 0; c < channels; c++) multiply(from + c, by, p + c * at.channel, 1);
      }
    }
  }
  // n columns of [columns,n], which are so far apart, from token t on, times by -> the
  // tokens at p, where channels do not lie side by side.
  template <class T>
  void put_transposed(const float *from, int64_t apart, int64_t t, int64_t n, float by, T *p,
                      const Attention::Place &at) const {
    if (t + n > tokens) n = tokens - t;
    p += t * at.token;
    for (int64_t c = 0; c < channels; c++, from += apart, p += at.channel) {
      if (at.token == 1) {
        multiply(from, by, p, n);
      } else {
        for (int64_t k = 0; k < n; k++) multiply(from + k, by, p + k * at.token, 1);
      }
    }
  }
};

}  // namespace
