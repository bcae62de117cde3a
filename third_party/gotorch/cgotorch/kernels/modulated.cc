// The normalisation of tokens with a scale and a shift for each sample ("adaLN", Peebles and Xie
// 2023), and the addition before it of what a block made, as one operation with a gradient.
#include "modulated.h"

#include <ATen/ops/layer_norm.h>
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

const ModulatedLoops &loops() {
  static const ModulatedLoops &chosen =
      for_processor(modulated_base, modulated_avx2, modulated_avx512, modulated_avx512bf16);
  return chosen;
}

// Numbers of each sample as the loops read them.
struct Numbers {
  at::Tensor gate, shift, scale;

  void in(Modulated &o) const {
    o.gate = numbers(gate), o.shift = numbers(shift), o.scale = numbers(scale);
  }
};

// x: [B,T,W], contiguous; y: the output's type.
Modulated shape(const at::Tensor &x, at::ScalarType y, double eps) {
  Modulated o = {};
  o.samples = x.size(0), o.tokens = x.size(1), o.width = x.size(2);
  o.wide_half = x.scalar_type() == at::kBFloat16, o.narrow_half = y == at::kBFloat16;
  o.x = x.const_data_ptr(), o.eps = static_cast<float>(eps);
  return o;
}

void run(ModulatedLoop loop, const Modulated &o) {
  int64_t each = 2 * (o.width + 64), threads = at::get_num_threads();
  at::Tensor scratch = at::empty({threads * each}, at::kFloat);
  float *p = scratch.mutable_data_ptr<float>();
  int64_t elements = std::min(o.tokens, Modulated::block) * o.width;
  in_parallel(o.blocks(), (1 << 14) / elements, [&](int64_t begin, int64_t end, int64_t thread) {
    loop(o, begin, end, p + thread * each);
  });
}

// {sum, y} from libtorch's operations; branch and gate may be undefined.
variable_list composed(at::Tensor x, const at::Tensor &branch, const at::Tensor &gate,
                       const at::Tensor &shift, const at::Tensor &scale, double eps) {
  if (branch.defined()) x = x + gate.unsqueeze(1) * branch;
  at::Tensor n = at::layer_norm(x, {x.size(2)}, {}, {}, eps);
  return {x, n * (scale.unsqueeze(1) + 1) + shift.unsqueeze(1)};
}

// Sums over the blocks of a sample, in their order. sums: [B,blocks,3,W] -> [B,3,W].
at::Tensor of_samples(const at::Tensor &sums) {
  if (sums.size(1) == 1) return sums.select(1, 0);
  int64_t samples = sums.size(0), parts = sums.size(1), n = sums.size(2) * sums.size(3);
  at::Tensor all = at::empty({samples, sums.size(2), sums.size(3)}, sums.options());
  const float *from = sums.const_data_ptr<float>();
  float *to = all.mutable_data_ptr<float>();
  in_parallel(samples, (1 << 14) / (parts * n), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; i++)
      for (int64_t k = 0; k < parts; k++)
        for (int64_t c = 0; c < n; c++) {
          float s = from[(i * parts + k) * n + c];
          to[i * n + c] = k ? to[i * n + c] + s : s;
        }
  });
  return all;
}

struct Function : torch::autograd::Function<Function> {
  // {y}, or {sum, y} where there is a branch.
  static variable_list forward(AutogradContext *ctx, const Variable &x,
                               const std::optional<Variable> &branch,
                               const std::optional<Variable> &gate, const Variable &shift,
                               const Variable &scale, double eps) {
    const at::ScalarType type = shift.scalar_type();
    at::Tensor rows = x.contiguous(), added = or_none(branch), total = rows;
    Numbers of = {flat(or_none(gate)), flat(shift), flat(scale)};
    Modulated o = shape(rows, type, eps);
    of.in(o);
    at::Tensor y = at::empty(rows.sizes(), rows.options().dtype(type));
    at::Tensor statistics = at::empty({2, o.samples, o.tokens}, rows.options().dtype(at::kFloat));
    o.mean = statistics.mutable_data_ptr<float>(), o.part = o.mean + statistics.stride(0);
    o.y = y.mutable_data_ptr();
    if (added.defined()) {
      added = added.to(type).contiguous();
      total = at::empty_like(rows);
      o.branch = added.const_data_ptr(), o.sum = total.mutable_data_ptr();
    }
    run(loops().forward, o);
    ctx->save_for_backward(
        {x, or_none(branch), or_none(gate), shift, scale, total, added, statistics});
    ctx->saved_data["eps"] = eps;
    ctx->set_materialize_grads(false);
    if (added.defined()) return {total, y};
    return {y};
  }

  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    const at::Tensor &gate = saved[2], &shift = saved[3], &scale = saved[4], &x = saved[5],
                     &branch = saved[6], &statistics = saved[7];
    const double eps = ctx->saved_data["eps"].toDouble();
    const bool gated = branch.defined();
    variable_list all(6);
    at::Tensor dsum = gated ? grads[0] : at::Tensor(), dy = grads.back();
    if (!dsum.defined() && !dy.defined()) return all;
    // A gradient that is to have one itself (create_graph) is libtorch's.
    if (at::GradMode::is_enabled()) {
      variable_list inputs, outputs, by;
      for (int i = 0; i < 5; i++)
        if (saved[i].defined() && saved[i].requires_grad()) inputs.push_back(saved[i]);
      variable_list made = composed(saved[0], saved[1], gate, shift, scale, eps);
      if (dsum.defined()) outputs.push_back(made[0]), by.push_back(dsum);
      if (dy.defined()) outputs.push_back(made[1].to(dy.scalar_type())), by.push_back(dy);
      auto found = torch::autograd::grad(outputs, inputs, by, /*retain_graph=*/true,
                                         /*create_graph=*/true, /*allow_unused=*/true);
      for (int i = 0, n = 0; i < 5; i++)
        if (saved[i].defined() && saved[i].requires_grad()) all[i] = found[n++];
      return all;
    }
    if (!dy.defined()) dy = at::zeros(x.sizes(), shift.options());
    dy = dy.contiguous();
    if (dsum.defined()) dsum = dsum.contiguous();
    Numbers of = {flat(gate), flat(shift), flat(scale)};
    Modulated o = shape(x, shift.scalar_type(), eps);
    of.in(o);
    at::Tensor dx = at::empty_like(x), dbranch;
    at::Tensor sums =
        at::empty({o.samples, o.blocks_of_sample(), 3, o.width}, x.options().dtype(at::kFloat));
    o.mean = const_cast<float *>(statistics.const_data_ptr<float>());
    o.part = o.mean + statistics.stride(0);
    o.dy = dy.const_data_ptr(), o.dsum = dsum.defined() ? dsum.const_data_ptr() : nullptr;
    o.dx = dx.mutable_data_ptr(), o.sums = sums.mutable_data_ptr<float>();
    if (gated) {
      dbranch = at::empty_like(branch);
      o.branch = branch.const_data_ptr(), o.dbranch = dbranch.mutable_data_ptr();
    }
    run(loops().backward, o);
    at::Tensor s = of_samples(sums).to(shift.scalar_type());
    all[0] = dx;
    if (gated) {
      all[1] = dbranch.to(saved[1].scalar_type());
      all[2] = s.select(1, 0).to(gate.scalar_type());
    }
    all[3] = s.select(1, 1), all[4] = s.select(1, 2).to(scale.scalar_type());
    return all;
  }
};

void check(const at::Tensor &x, const at::Tensor &branch, const at::Tensor &gate,
           const at::Tensor &shift, const at::Tensor &scale) {
  TORCH_CHECK(x.dim() == 3, "what is normalised is of [samples,tokens,features], not ", x.sizes());
  TORCH_CHECK(branch.defined() == gate.defined(),
              "what is added has a gate, and a gate what it is for");
  TORCH_CHECK(!branch.defined() || branch.sizes() == x.sizes(), "what is added must be of ",
              x.sizes(), ", not ", branch.sizes());
  const std::vector<int64_t> each = {x.size(0), x.size(2)};
  for (const at::Tensor &t : {gate, shift, scale})
    TORCH_CHECK(!t.defined() || t.sizes() == at::IntArrayRef(each),
                "gate, shift and scale must be of ", at::IntArrayRef(each), ", not ", t.sizes());
}

}  // namespace

std::pair<at::Tensor, at::Tensor> modulated_norm(const at::Tensor &x,
                                                 const std::optional<at::Tensor> &branch,
                                                 const std::optional<at::Tensor> &gate,
                                                 const at::Tensor &shift, const at::Tensor &scale,
                                                 double eps) {
  RECORD_FUNCTION("gotorch::modulated_norm", std::vector<c10::IValue>());
  at::Tensor added = or_none(branch), by = or_none(gate);
  check(x, added, by, shift, scale);
  bool ours = computed(x);
  for (const at::Tensor &t : {added, by, shift, scale}) ours &= !t.defined() || computed(t);
  variable_list all;
  if (ours)
    all = Function::apply(x, branch, gate, shift, scale, eps);
  else
    all = composed(x, added, by, shift, scale, eps);
  return {all.size() > 1 ? all[0] : x, all.back()};
}

}  // namespace gt
