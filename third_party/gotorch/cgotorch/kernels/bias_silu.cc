// Bias and activation as one operation with a gradient, and with the product before it.
#include "bias_silu.h"

#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/silu.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include "bias_silu_gpu.h"
#include "dispatch.h"
#include "kernels.h"
#include "parallel.h"

namespace gt {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

const BiasSiluLoops &loops() {
  static const BiasSiluLoops &chosen =
      for_processor(bias_silu_base, bias_silu_avx2, bias_silu_avx512, bias_silu_avx512bf16);
  return chosen;
}

// x is contiguous.
BiasSilu shape(const at::Tensor &x, const at::Tensor &bias, Activation act) {
  BiasSilu o = {};
  o.act = act;
  o.columns = x.size(-1), o.rows = x.numel() / o.columns;
  o.half = x.scalar_type() == at::kBFloat16;
  o.x = x.const_data_ptr(), o.bias = numbers(bias);
  return o;
}

void run(BiasSiluLoop loop, const BiasSilu &o) {
  int64_t elements = BiasSilu::block * o.columns;
  in_parallel(o.blocks(), (1 << 14) / elements,
              [&](int64_t begin, int64_t end, int64_t) { loop(o, begin, end); });
}

// The same from libtorch's operations.
at::Tensor composed(const at::Tensor &x, const at::Tensor &bias, Activation act) {
  at::Tensor z = bias.defined() ? x + bias.to(x.scalar_type()) : x;
  return act == Activation::gelu ? at::gelu(z, "tanh") : at::silu(z);
}

// Writes to y, which may be x. On a GPU the activation is SiLU.
void compute(const at::Tensor &x, const at::Tensor &bias, Activation act, const at::Tensor &y) {
  if (!x.is_cpu()) return BiasSiluOperands{x, bias}.forward_on_gpu(y);
  at::Tensor b = flat(bias);
  BiasSilu o = shape(x, b, act);
  o.y = y.mutable_data_ptr();
  run(loops().forward, o);
}

struct Function : torch::autograd::Function<Function> {
  static Variable forward(AutogradContext *ctx, Variable x, const std::optional<Variable> &bias,
                          int64_t act) {
    x = x.contiguous();
    at::Tensor y = at::empty_like(x);
    compute(x, or_none(bias), static_cast<Activation>(act), y);
    ctx->save_for_backward({x, or_none(bias)});
    ctx->saved_data["act"] = act;
    return y;
  }

  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &bias = saved[1];
    auto act = static_cast<Activation>(ctx->saved_data["act"].toInt());
    bool of_bias = bias.defined() && ctx->needs_input_grad(1);
    // A gradient that is to have one itself (create_graph) is libtorch's.
    if (at::GradMode::is_enabled()) {
      variable_list inputs, all(3);
      if (x.requires_grad()) inputs.push_back(x);
      if (of_bias) inputs.push_back(bias);
      auto found =
          torch::autograd::grad({composed(x, bias, act)}, inputs, {grads[0]}, /*retain_graph=*/true,
                                /*create_graph=*/true);
      if (x.requires_grad()) all[0] = found[0];
      if (of_bias) all[1] = found.back();
      return all;
    }
    at::Tensor dy = grads[0].contiguous(), dx = at::empty_like(x), sums;
    if (!x.is_cpu()) {
      sums = BiasSiluOperands{x, bias}.backward_on_gpu(dy, dx, of_bias);
      return {dx, of_bias ? sums.to(bias.scalar_type()) : at::Tensor(), at::Tensor()};
    }
    at::Tensor b = flat(bias);
    BiasSilu o = shape(x, b, act);
    if (of_bias) {
      sums = at::empty({o.blocks(), o.columns}, x.options().dtype(at::kFloat));
      o.sums = sums.mutable_data_ptr<float>();
    }
    o.dy = dy.const_data_ptr(), o.dx = dx.mutable_data_ptr();
    run(loops().backward, o);
    return {dx, of_bias ? total(sums).to(bias.scalar_type()) : at::Tensor(), at::Tensor()};
  }
};

bool ours(const at::Tensor &x, const at::Tensor &bias) {
  if (!x.is_cpu()) return BiasSiluOperands{x, bias}.on_gpu(x.is_contiguous());
  return computed(x) && x.dim() > 0 && !(bias.defined() && bias.scalar_type() == at::kDouble);
}

bool learns(const at::Tensor &t) { return t.defined() && t.requires_grad(); }

void check(const at::Tensor &x, const at::Tensor &bias) {
  if (!bias.defined()) return;
  TORCH_CHECK(x.dim() > 0 && bias.sizes() == x.sizes().slice(x.dim() - 1), "what is added to ",
              x.sizes(), " must be of the size of its last dimension, not ", bias.sizes());
  TORCH_CHECK(bias.device() == x.device(), "operands are on different devices");
}

}  // namespace

at::Tensor bias_silu(const at::Tensor &x, const std::optional<at::Tensor> &bias) {
  RECORD_FUNCTION("gotorch::bias_silu", std::vector<c10::IValue>());
  at::Tensor b = or_none(bias);
  check(x, b);
  if (!ours(x, b)) return composed(x, b, Activation::silu);
  return Function::apply(x, bias, static_cast<int64_t>(Activation::silu));
}

void bias_silu_(const at::Tensor &x, const std::optional<at::Tensor> &bias) {
  RECORD_FUNCTION("gotorch::bias_silu_", std::vector<c10::IValue>());
  at::Tensor b = or_none(bias);
  check(x, b);
  TORCH_CHECK(!(at::GradMode::is_enabled() && (learns(x) || learns(b))),
              "SiLU in place leaves no gradient: it overwrites what that is computed from");
  if (!ours(x, b)) {
    x.copy_(composed(x, b, Activation::silu));
    return;
  }
  at::Tensor rows = x.contiguous();
  compute(rows, b, Activation::silu, rows);
  if (!rows.is_same(x)) x.copy_(rows);
}

at::Tensor linear_silu(const at::Tensor &x, const at::Tensor &w,
                       const std::optional<at::Tensor> &bias) {
  if (x.is_cpu()) {
    if (auto y = thin_silu(x, w, or_none(bias))) return *y;
    if (auto y = tiled_linear(x, w, or_none(bias), Activation::silu)) return *y;
  } else if (!linear_silu_on_gpu(x, w, or_none(bias))) {
    return at::silu(gt::linear(x, w, bias));  // libtorch adds the bias in the product
  }
  at::Tensor z = gt::linear(x, w, {});
  if (z.requires_grad() || (at::GradMode::is_enabled() && learns(or_none(bias))))
    return bias_silu(z, bias);
  bias_silu_(z, bias);
  return z;
}

at::Tensor linear_gelu(const at::Tensor &x, const at::Tensor &w,
                       const std::optional<at::Tensor> &bias) {
  if (auto y = tiled_linear(x, w, or_none(bias), Activation::gelu)) return *y;
  at::Tensor z = gt::linear(x, w, bias);
  if (!z.is_cpu() || !ours(z, {})) return at::gelu(z, "tanh");
  constexpr auto gelu = Activation::gelu;
  // The bias is libtorch's: it adds it in the product, whose type has its sum, too.
  if (z.requires_grad()) return Function::apply(z, std::nullopt, static_cast<int64_t>(gelu));
  at::Tensor rows = z.contiguous();
  compute(rows, {}, gelu, rows);
  return rows;
}

}  // namespace gt
