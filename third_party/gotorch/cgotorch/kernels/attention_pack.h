// A head's tokens as the products take them, and back. Part of attention_loops.h.
//
// A matrix of tokens is packed by rows: [T,C], by columns: [C,T], or, as the right
// operand of a product, with pairs of rows side by side (InTiles). All dimensions
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

// dst[c][r] = src[r][c] for numbers of 32 bits, whatever they are; rows in blocks
// whose lines stay in cache.
void transpose(const void *src, int64_t rows, int64_t columns, int64_t lds, void *dst,
               int64_t ldd) {
  const uint32_t *from = (const uint32_t *)src;
  uint32_t *to = (uint32_t *)dst;
  for (int64_t r = 0; r < rows; r += 16)
    for (int64_t c = 0; c < columns; c++) {
      uint32_t of[16];
      for (int k = 0; k < 16; k++) of[k] = from[(r + k) * lds + c];
      __builtin_memcpy(to + c * ldd + r, of, sizeof of);
    }
}

template <class Core>
struct Pack {
  using E = typename Core::Element;
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
  // [rows,columns] as a right operand: in place, or into to. Returns where it is.
  const E *right(const E *from, E *to) const {
    if constexpr (Core::pair == 1) return from;
    const uint16_t *a = (const uint16_t *)from;
    uint32_t *out = (uint32_t *)to;
    for (int64_t t = 0; t < rows; t += 2, a += 2 * columns, out += columns)
      for (int64_t c = 0; c < columns; c++) out[c] = a[c] | (uint32_t)a[columns + c] << 16;
    return to;
  }
  // Its transpose as a right operand: [columns/pair,far,pair].
  void right_transposed(const E *from, E *to) const {
    transpose(from, rows, columns / Core::pair, columns / Core::pair, to, far);
  }
  // Its transpose as a left one: [columns,far], from what right_transposed gives.
  const E *left_transposed(const E *from, E *to) const {
    if constexpr (Core::pair == 1) return from;
    const uint32_t *pairs = (const uint32_t *)from;
    uint16_t *out = (uint16_t *)to;
    for (int64_t c = 0; c < columns; c += 2, pairs += far, out += 2 * far)
      for (int64_t t = 0; t < rows; t++) {
        out[t] = (uint16_t)pairs[t];
        out[far + t] = (uint16_t)(pairs[t] >> 16);
      }
    return to;
  }
  // n rows of [n,columns] from token t on -> the tokens at p. spare: [columns,far].
  template <class T>
  void put(const float *from, int64_t t, int64_t n, T *p, const Attention::Place &at,
           float *spare) const {
    if (at.channel != 1) {
      transpose(from, n, columns, columns, spare, far);
      put_transposed(spare, t, n, p, at);
      return;
    }
    if (t + n > tokens) n = tokens - t;
    p += t * at.token;
    for (int64_t k = 0; k < n; k++) convert(from + k * columns, p + k * at.token, channels);
  }
  // n columns of [columns,far] from token t on -> the tokens at p, where channels do not
  // lie side by side.
  template <class T>
  void put_transposed(const float *from, int64_t t, int64_t n, T *p,
                      const Attention::Place &at) const {
    if (t + n > tokens) n = tokens - t;
    p += t * at.token;
    for (int64_t c = 0; c < channels; c++, from += far, p += at.channel) {
      if (at.token == 1) {
        convert(from, p, n);
      } else {
        for (int64_t k = 0; k < n; k++) convert(from + k, p + k * at.token, 1);
      }
    }
  }
};

}  // namespace
