// Attention as one operation with a gradient.
#include "attention.h"

#include <ATen/ops/_safe_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/unbind.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include "dispatch.h"
#include "kernels.h"
#include "parallel.h"

namespace gt {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

const AttentionLoops &loops() {
  static const AttentionLoops &chosen =
      tiles()
          ? attention_amx
          : for_processor(attention_base, attention_avx2, attention_avx512, attention_avx512bf16);
  return chosen;
}

// Where the slices q, k, v of t: [B,heads,3,T,C] lie, or, of [B,heads,T,C], the one.
Attention::Place place(const at::Tensor &t, void *p) {
  int64_t n = t.dim();
  return {p, t.stride(0), t.stride(1), n == 5 ? t.stride(2) : 0, t.stride(n - 2), t.stride(n - 1)};
}
Attention::Place readable(const at::Tensor &t) {
  return place(t, const_cast<void *>(t.const_data_ptr()));
}

Attention shape(const at::Tensor &qkv, double scale) {
  Attention o = {};
  o.samples = qkv.size(0), o.heads = qkv.size(1), o.tokens = qkv.size(3), o.channels = qkv.size(4);
  o.half = qkv.scalar_type() == at::kBFloat16, o.scale = static_cast<float>(scale);
  o.x = readable(qkv);
  return o;
}

void run(AttentionLoop loop, const Attention &o) {
  int64_t bytes = (loops().scratch(o) + 4095) / 4096 * 4096, threads = at::get_num_threads();
  at::Tensor scratch = at::empty({threads * bytes}, at::kByte);
  char *p = static_cast<char *>(scratch.mutable_data_ptr());
  in_parallel(o.samples * o.heads, 1, [&](int64_t begin, int64_t end, int64_t thread) {
    loop(o, begin, end, p + thread * bytes);
  });
}

// Laid out as qkv is, so that what follows needs no copy: token after token, or
// channel after channel.
at::Tensor output(const at::Tensor &qkv) {
  int64_t b = qkv.size(0), h = qkv.size(1), t = qkv.size(3), c = qkv.size(4);
  if (qkv.stride(3) == 1 && qkv.stride(4) != 1)
    return at::empty({b, h, c, t}, qkv.options()).transpose(2, 3);
  return at::empty({b, t, h, c}, qkv.options()).transpose(1, 2);
}

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

// The same of what may look at some keys only.
at::Tensor by_products(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v,
                       const std::optional<at::Tensor> &mask, bool causal, double scale) {
  constexpr double never = -std::numeric_limits<double>::infinity();
  at::Tensor scores = at::matmul(q * scale, k.transpose(-2, -1));
  if (causal) {
    auto later = at::ones({q.size(-2), k.size(-2)}, q.options().dtype(at::kBool)).triu(1);
    scores = scores.masked_fill(later, never);
  }
  if (mask && mask->scalar_type() == at::kBool)
    scores = scores.masked_fill(mask->logical_not(), never);
  else if (mask)
    scores = scores + *mask;
  return at::matmul(at::_safe_softmax(scores, -1), v);
}

// On a GPU. libtorch's kernels that keep no scores take nothing but tokens whose
// channels lie side by side; all else they leave to products, with the scores in
// memory as float32 (check_last_dim_stride_equals_1_dense in its sdp_utils).
at::Tensor fused(const at::Tensor &qkv, double scale) {
  // Apart by one operation, and from the order of elements that they have in memory: the
  // gradients are then put together by one, too, in that order.
  const bool heads_first = qkv.stride(1) >= qkv.stride(2);
  at::Tensor rows = qkv.permute({0, 3, heads_first ? 1 : 2, heads_first ? 2 : 1, 4});
  if (rows.stride(4) != 1) rows = rows.contiguous();
  auto parts = at::unbind(rows, heads_first ? 3 : 2);  // [B,T,heads,C]
  for (at::Tensor &part : parts) part = part.transpose(1, 2);
  return at::scaled_dot_product_attention(parts[0], parts[1], parts[2], {}, 0.0, false, scale);
}

struct Function : torch::autograd::Function<Function> {
  static Variable forward(AutogradContext *ctx, Variable qkv, double scale) {
    Attention o = shape(qkv, scale);
    at::Tensor y = output(qkv);
    at::Tensor sums = at::empty({2, o.samples, o.heads, o.tokens}, qkv.options().dtype(at::kFloat));
    o.y = place(y, y.mutable_data_ptr());
    o.high = sums.mutable_data_ptr<float>(), o.part = o.high + sums.stride(0);
    run(loops().forward, o);
    ctx->save_for_backward({qkv, y, sums});
    ctx->saved_data["scale"] = scale;
    return y;
  }

  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    const at::Tensor &qkv = saved[0], &y = saved[1], &sums = saved[2];
    double scale = ctx->saved_data["scale"].toDouble();
    // A gradient that is to have one itself (create_graph) is libtorch's.
    if (at::GradMode::is_enabled())
      return {torch::autograd::grad({composed(qkv, scale)}, {qkv}, {grads[0]}, true, true)[0],
              at::Tensor()};
    Attention o = shape(qkv, scale);
    // Of the same sizes and order; what is repeated in memory, once for each.
    at::Tensor dx = at::empty_like(qkv);
    o.y = readable(y), o.dy = readable(grads[0]);
    o.dx = place(dx, dx.mutable_data_ptr());
    o.high = const_cast<float *>(sums.const_data_ptr<float>()), o.part = o.high + sums.stride(0);
    run(loops().backward, o);
    return {dx, at::Tensor()};
  }
};

}  // namespace

at::Tensor attention(const at::Tensor &qkv, double scale) {
  RECORD_FUNCTION("gotorch::attention", std::vector<c10::IValue>());
  TORCH_CHECK(qkv.dim() == 5 && qkv.size(2) == 3,
              "attention is of [samples,heads,3,tokens,channels], not ", qkv.sizes());
  TORCH_CHECK(scale >= 0, "attention is of a scale of at least 0, not ", scale);
  if (!qkv.is_cpu()) return fused(qkv, scale);
  if (!computed(qkv)) return composed(qkv, scale);
  // In training, cores without a head of their own are better used by libtorch's
  // operations. What samples are is not to depend on the number of cores.
  bool learns = at::GradMode::is_enabled() && qkv.requires_grad();
  if (learns && 2 * qkv.size(0) * qkv.size(1) < at::get_num_threads()) return composed(qkv, scale);
  return Function::apply(qkv, scale);
}

at::Tensor attention_of(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v,
                        const std::optional<at::Tensor> &mask, bool causal, double scale) {
  // On a processor libtorch's kernel computes a weight as the exponential of a score less the
  // logarithm of a sum: of scores of hundreds its gradients in float32 are off by 1e-5 and more,
  // which those of products and softmax are not.
  bool same = q.sizes() == k.sizes() && k.sizes() == v.sizes();
  for (const at::Tensor &t : {k, v}) same &= t.scalar_type() == q.scalar_type();
  bool plain = same && q.dim() == 4 && !mask && !causal;
  if (plain && computed(q) && k.is_cpu() && v.is_cpu())
    return attention(at::stack({q, k, v}, 2), scale);
  bool learns =
      at::GradMode::is_enabled() && (q.requires_grad() || k.requires_grad() || v.requires_grad());
  if (learns && q.is_cpu() && q.scalar_type() == at::kFloat && !(mask && causal))
    return by_products(q, k, v, mask, causal, scale);
  return at::scaled_dot_product_attention(q, k, v, mask, 0.0, causal, scale);
}

}  // namespace gt
