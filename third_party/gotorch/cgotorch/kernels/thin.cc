// Products of few columns, by themselves and as layers with gradients.
#include "thin.h"

#include <ATen/autocast_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/silu.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include "dispatch.h"
#include "kernels.h"
#include "parallel.h"
#include "rounded.h"

namespace gt {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

const ThinLoops &loops() {
  static const ThinLoops &chosen =
      for_processor(thin_base, thin_avx2, thin_avx512, thin_avx512bf16);
  return chosen;
}

// The pieces of work for a thread: at least as many rows as make it worth while.
void share(ThinLoop loop, const Thin &o, int64_t n, int64_t rows_each) {
  in_parallel(n, (1 << 14) / (o.many * rows_each),
              [&](int64_t begin, int64_t end, int64_t) { loop(o, begin, end); });
}

// x w + b or x w' + b; b may be undefined.
at::Tensor run(ThinLoop loop, Thin o, const at::Tensor &x, const at::Tensor &w, const at::Tensor &b,
               int64_t columns, at::ScalarType to) {
  for (const at::Tensor &t : {x, w, b})
    TORCH_CHECK(!t.defined() || t.device().is_cpu(), "operands must be on the CPU");
  for (const at::Tensor &t : {w, b})
    TORCH_CHECK(!t.defined() || t.scalar_type() == at::kFloat, "weight and bias must be float32");
  TORCH_CHECK(!b.defined() || b.sizes() == at::IntArrayRef{columns}, "the bias must be of shape [",
              columns, "], not ", b.sizes());
  auto sizes = x.sizes().vec();
  sizes.back() = columns;
  at::Tensor y = at::empty(sizes, x.options().dtype(to));
  at::Tensor rows = x.contiguous(), weight = w.contiguous(), bias = flat(b);
  o.few = w.size(0), o.many = w.size(1), o.rows = x.numel() / x.size(-1);
  o.x = rows.const_data_ptr(), o.y = y.mutable_data_ptr();
  o.w = weight.const_data_ptr<float>(), o.bias = numbers(bias);
  share(loop, o, o.rows, 1);
  return y;
}

bool known(at::ScalarType t) { return t == at::kFloat || t == at::kBFloat16; }

// The most columns of what is thin: with more, libtorch's products are no slower.
constexpr int64_t most = 8;

// The type that a layer's product gives here, of float32 parameters; none where it
// is libtorch's alone.
std::optional<at::ScalarType> product_type(const at::Tensor &x, const at::Tensor &w,
                                           const at::Tensor &b) {
  if (!computed(x) || !x.dim() || w.dim() != 2 || x.size(-1) != w.size(1)) return {};
  for (const at::Tensor &t : {w, b})
    if (t.defined() && !(t.device().is_cpu() && t.scalar_type() == at::kFloat)) return {};
  if (b.defined() && b.sizes() != at::IntArrayRef{w.size(0)}) return {};
  if (!at::autocast::is_autocast_enabled(at::kCPU))
    return x.scalar_type() == at::kFloat ? std::optional(at::kFloat) : std::nullopt;
  at::ScalarType to = at::autocast::get_autocast_dtype(at::kCPU);
  return known(to) ? std::optional(to) : std::nullopt;
}

// The gradient at w, [few,many], and then, if act, at b: of x, [rows,few], and of
// what is wide. A sum for each block of rows, then their sum: the same whatever the
// number of threads.
at::Tensor weights(Thin o, const at::Tensor &x, const at::Tensor &wide) {
  at::Tensor rows = x.contiguous(), others = wide.contiguous();
  o.half = others.scalar_type() == at::kBFloat16;
  o.rows = rows.numel() / o.few;
  o.x = rows.const_data_ptr(), o.wide = others.const_data_ptr();
  at::Tensor sums = at::empty({o.blocks(), o.lines(), o.many}, rows.options());
  o.sums = sums.mutable_data_ptr<float>();
  share(loops().weights, o, o.blocks(), Thin::block);
  return total(sums);
}

// Gradients that are to have gradients themselves (create_graph) are libtorch's.
variable_list composed(const std::function<at::Tensor()> &y, const variable_list &operands,
                       const at::Tensor &dy) {
  variable_list inputs, all(operands.size());
  for (const at::Tensor &t : operands)
    if (t.defined() && t.requires_grad()) inputs.push_back(t);
  auto found = torch::autograd::grad({y()}, inputs, {dy}, /*retain_graph=*/true,
                                     /*create_graph=*/true);
  for (size_t i = 0, n = 0; i < operands.size(); i++)
    if (operands[i].defined() && operands[i].requires_grad()) all[i] = found[n++];
  return all;
}

// silu(x w' + b) of an x, [...,F], that has no gradient. Of the wide tensors only
// y and dy are ever in memory.
struct Widen : torch::autograd::Function<Widen> {
  static Variable forward(AutogradContext *ctx, const Variable &x, const Variable &w,
                          const std::optional<Variable> &bias, at::ScalarType to) {
    at::Tensor b = or_none(bias);
    ctx->save_for_backward({x, w, b});
    Thin o = {};
    o.half = to == at::kBFloat16, o.act = true;
    return run(loops().widen, o, x, w.t(), b, w.size(0), to);
  }

  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &w = saved[1], &b = saved[2];
    if (at::GradMode::is_enabled()) {
      auto y = [&] { return at::silu(at::linear(x, w, optional(b))).to(grads[0].scalar_type()); };
      variable_list all = composed(y, {x, w, b}, grads[0]);
      all.emplace_back();
      return all;
    }
    at::Tensor across = w.t().contiguous(), bias = flat(b);
    Thin o = {};
    o.few = w.size(1), o.many = w.size(0), o.act = true;
    o.w = across.const_data_ptr<float>(), o.bias = numbers(bias);
    at::Tensor sums = weights(o, x, grads[0]);
    return {at::Tensor(), sums.slice(0, 0, o.few).t().contiguous(),
            b.defined() ? sums[o.few] : at::Tensor(), at::Tensor()};
  }
};

// x w' + b for a w of few rows, in float32.
struct Narrow : torch::autograd::Function<Narrow> {
  static Variable forward(AutogradContext *ctx, const Variable &x, const Variable &w,
                          const std::optional<Variable> &bias) {
    at::Tensor b = or_none(bias);
    ctx->save_for_backward({x, w, b});
    Thin o = {};
    o.half = x.scalar_type() == at::kBFloat16;
    return run(loops().narrow, o, x, w, b, w.size(0), at::kFloat);
  }

  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &w = saved[1], &b = saved[2], &dy = grads[0];
    if (at::GradMode::is_enabled())
      return composed([&] { return at::linear(x.to(at::kFloat), w, optional(b)); }, {x, w, b}, dy);
    variable_list all(3);
    if (ctx->needs_input_grad(0)) {
      Thin o = {};
      o.half = x.scalar_type() == at::kBFloat16;
      all[0] = run(loops().widen, o, dy, w, at::Tensor(), w.size(1), x.scalar_type());
    }
    if (ctx->needs_input_grad(1)) {
      Thin o = {};
      o.few = w.size(0), o.many = w.size(1);
      all[1] = weights(o, dy, x);
    }
    if (b.defined() && ctx->needs_input_grad(2)) all[2] = dy.reshape({-1, w.size(0)}).sum(0);
    return all;
  }
};

}  // namespace

at::Tensor widen(const at::Tensor &x, const at::Tensor &w, const at::Tensor &b, at::ScalarType to,
                 bool act) {
  RECORD_FUNCTION("gotorch::widen", std::vector<c10::IValue>());
  TORCH_CHECK(x.dim() > 0 && w.dim() == 2 && x.size(-1) == w.size(0) && x.size(-1) > 0,
              "few columns are widened by [...,F] times [F,M], not ", x.sizes(), " times ",
              w.sizes());
  TORCH_CHECK(x.scalar_type() == at::kFloat && known(to),
              "few columns are widened from float32 to float32 or bf16, not from ", x.scalar_type(),
              " to ", to);
  Thin o = {};
  o.half = to == at::kBFloat16, o.act = act;
  return run(loops().widen, o, x, w, b, w.size(1), to);
}

at::Tensor narrow(const at::Tensor &x, const at::Tensor &w, const at::Tensor &b) {
  RECORD_FUNCTION("gotorch::narrow", std::vector<c10::IValue>());
  TORCH_CHECK(x.dim() > 0 && w.dim() == 2 && x.size(-1) == w.size(1) && x.size(-1) > 0,
              "many columns are narrowed by [...,M] times [F,M]', not ", x.sizes(), " times ",
              w.sizes());
  TORCH_CHECK(known(x.scalar_type()), "many columns are narrowed from float32 or bf16, not from ",
              x.scalar_type());
  Thin o = {};
  o.half = x.scalar_type() == at::kBFloat16;
  return run(loops().narrow, o, x, w, b, w.size(0), at::kFloat);
}

// Where x or y has few columns, libtorch's products spend more on the shape than on
// the sums. What they give is computed here from float32, under autocast, too.
at::Tensor linear(const at::Tensor &x, const at::Tensor &w, const std::optional<at::Tensor> &bias) {
  at::Tensor b = or_none(bias);
  if (auto to = product_type(x, w, b); to && w.size(0) <= most) {
    RECORD_FUNCTION("gotorch::linear", std::vector<c10::IValue>());
    return Narrow::apply(x, w, bias).to(*to);
  }
  if (auto y = tiled_linear(x, w, b)) return *y;
  return at::linear(x, rounded(w), rounded(bias));
}

std::vector<at::Tensor> linears(const at::Tensor &x, const std::vector<at::Tensor> &w,
                                const std::vector<at::Tensor> &b,
                                const std::vector<at::Tensor> &more) {
  TORCH_CHECK(!w.empty() && w.size() == b.size() && (more.empty() || more.size() == b.size()),
              w.size(), " weights, ", b.size(), " biases and ", more.size(), " more of them");
  std::vector<at::Tensor> all, weights, biases;
  if (x.is_cpu()) {
    for (size_t i = 0; i < w.size(); i++)
      all.push_back(gt::linear(x, w[i], more.empty() ? b[i] : b[i] + more[i]));
    return all;
  }
  std::vector<int64_t> sizes;
  for (size_t i = 0; i < w.size(); i++) {
    weights.push_back(rounded(w[i]));
    biases.push_back(more.empty() ? rounded(b[i]) : b[i]);  // a sum is rounded once
    sizes.push_back(w[i].size(0));
  }
  at::Tensor bias = at::cat(biases);
  if (!more.empty()) bias = bias + at::cat(more);
  return at::linear(x, at::cat(weights), bias).split_with_sizes(sizes, -1);
}

std::optional<at::Tensor> thin_silu(const at::Tensor &x, const at::Tensor &w, const at::Tensor &b) {
  auto to = product_type(x, w, b);
  if (!to) return {};
  if (w.size(0) <= most) return at::silu(Narrow::apply(x, w, optional(b))).to(*to);
  if (w.size(1) > most || x.scalar_type() != at::kFloat) return {};
  if (at::GradMode::is_enabled() && x.requires_grad()) return {};
  return Widen::apply(x, w, optional(b), *to);
}

}  // namespace gt
