// Attention as one operation with a gradient.
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>

#include "kernels.h"

namespace gt {
namespace {

// From libtorch's operations, with all scores in memory.
at::Tensor composed(const at::Tensor &qkv, double scale) {
  at::Tensor q = qkv.select(2, 0), k = qkv.select(2, 1), v = qkv.select(2, 2);
  // Both factors are scaled, so that products in 16 bits do not overflow.
  double root = std::sqrt(scale);
  at::Tensor scores = at::matmul(q * root, (k * root).transpose(2, 3));
  at::Tensor weights =
      at::softmax(scores, -1, qkv.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
  return at::matmul(weights.to(v.scalar_type()), v);
}

}  // namespace

at::Tensor attention(const at::Tensor &qkv, double scale) {
  TORCH_CHECK(qkv.dim() == 5 && qkv.size(2) == 3,
              "attention is of [samples,heads,3,tokens,channels], not ", qkv.sizes());
  return composed(qkv, scale);
}

}  // namespace gt
