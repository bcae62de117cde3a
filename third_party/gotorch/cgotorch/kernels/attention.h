// What the loops of attention compute with.
#ifndef CGOTORCH_KERNELS_ATTENTION_H_
#define CGOTORCH_KERNELS_ATTENTION_H_

#include <stdint.h>

namespace gt {

struct Attention {
  // Tokens of all heads in memory, and the distances, in elements, of samples,
  // heads, the three operands, tokens and channels.
  struct Place {
    void *p;
    int64_t sample, head, part, token, channel;
  };
  int64_t samples, heads, tokens, channels;
  bool half;  // elements are bf16, else float32
  float scale;
  Place x, y;  // q, k, v; the output
  // [samples,heads,tokens], written by forward, read by backward: what is subtracted from
  // a query's scores, and what their exponentials are to be multiplied with. The logarithm
  // of a sum, which would say both, cannot: beside scores of thousands float32 rounds it
  // so that all of the query's weights would be off.
  float *high, *part;
  // Of backward.
  Place dy, dx;
};

// A loop does heads begin to end, counted through all samples, in scratch memory of
// its own of so many bytes.
using AttentionLoop = void (*)(const Attention &, int64_t begin, int64_t end, void *scratch);
struct AttentionLoops {
  int64_t (*scratch)(const Attention &);
  AttentionLoop forward, backward;
};

extern const AttentionLoops attention_base, attention_avx2, attention_avx512, attention_avx512bf16,
    attention_amx;

}  // namespace gt

#endif  // CGOTORCH_KERNELS_ATTENTION_H_
