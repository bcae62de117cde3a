// Group normalisation with SiLU as one operation with a gradient.
#include "groupnorm.h"

#include <ATen/ops/group_norm.h>
#include <ATen/ops/silu.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include "dispatch.h"
#include "groupnorm_gpu.h"
#include "kernels.h"
#include "parallel.h"

namespace gt {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

const GroupNormLoops &loops() {
  static const GroupNormLoops &chosen =
      for_processor(group_norm_base, group_norm_avx2, group_norm_avx512, group_norm_avx512bf16);
  return chosen;
}

bool channels_last(const at::Tensor &x) { return x.dim() > 2 && channels_beside(x); }

// t with the strides of x, which has no gaps.
at::Tensor like(const at::Tensor &t, const at::Tensor &x) {
  if (t.strides() == x.strides()) return t;
  return at::empty_strided(x.sizes(), x.strides(), t.options()).copy_(t);
}

GroupNorm shape(const at::Tensor &x, int64_t groups, double eps, bool act) {
  GroupNorm o = {};
  o.samples = x.size(0), o.channels = x.size(1), o.groups = groups;
  o.pixels = x.numel() / (o.samples * o.channels);
  o.half = x.scalar_type() == at::kBFloat16, o.act = act, o.eps = eps;
  o.channels_last = o.pixels == 1 || channels_last(x);
  // Few samples are cut, so that no thread goes without.
  int64_t threads = at::get_num_threads();
  o.pieces =
      o.samples >= 4 * threads ? 1 : std::min(groups, (4 * threads + o.samples - 1) / o.samples);
  o.x = x.const_data_ptr();
  return o;
}

void run(GroupNormLoop loop, const GroupNorm &o) {
  int64_t elements = o.channels * o.pixels / o.pieces + 1;
  in_parallel(o.samples * o.pieces, (1 << 14) / elements,
              [&](int64_t begin, int64_t end, int64_t) { loop(o, begin, end); });
}

// The same from libtorch's operations.
at::Tensor composed(const at::Tensor &x, const at::Tensor &shift, int64_t groups,
                    const at::Tensor &weight, const at::Tensor &bias, double eps, bool act) {
  at::Tensor h = x;
  if (shift.defined()) {
    std::vector<int64_t> sizes(x.dim(), 1);
    sizes[0] = x.size(0), sizes[1] = x.size(1);
    h = x + shift.view(sizes);
  }
  h = libtorch_group_norm(h, groups, optional(weight), optional(bias), eps);
  return act ? at::silu(h) : h;
}

// x as a tensor of its own that shares its memory and its count of changes. A view is that,
// too, by two operations more.
at::Tensor again(const at::Tensor &x) {
  c10::TensorImpl *of = x.unsafeGetTensorImpl();
  return at::Tensor(of->shallow_copy_and_detach(of->version_counter(), false));
}

// The normalised x, and with skip x itself. x has no gaps.
struct Function : torch::autograd::Function<Function> {
  // The operands that may be missing are optional: apply takes no others.
  static variable_list forward(AutogradContext *ctx, const Variable &x,
                               const std::optional<Variable> &maybe_shift, int64_t groups,
                               const std::optional<Variable> &maybe_weight,
                               const std::optional<Variable> &maybe_bias, double eps, bool act,
                               bool skip) {
    at::Tensor shift = or_none(maybe_shift), weight = or_none(maybe_weight),
               bias = or_none(maybe_bias);
    at::Tensor y, mean = at::empty({2, x.size(0), groups}, x.options().dtype(at::kFloat));
    if (x.is_cpu()) {
      y = at::empty_like(x);
      GroupNorm o = shape(x, groups, eps, act);
      at::Tensor s = flat(shift), w = flat(weight), b = flat(bias);
      o.shift = numbers(s), o.weight = numbers(w), o.bias = numbers(b);
      o.mean = mean.mutable_data_ptr<float>(), o.rstd = o.mean + o.samples * groups;
      o.y = y.mutable_data_ptr();
      run(loops().forward, o);
    } else {
      y = GroupNormOperands{x, shift, weight, bias, groups, eps, act}.forward_on_gpu(mean);
    }
    ctx->set_materialize_grads(false);
    ctx->save_for_backward({x, shift, weight, bias, mean});
    ctx->saved_data["groups"] = groups;
    ctx->saved_data["eps"] = eps;
    ctx->saved_data["act"] = act;
    return skip ? variable_list{y, again(x)} : variable_list{y};
  }

  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &shift = saved[1], &weight = saved[2], &bias = saved[3];
    int64_t groups = ctx->saved_data["groups"].toInt();
    double eps = ctx->saved_data["eps"].toDouble();
    bool act = ctx->saved_data["act"].toBool();
    at::Tensor rest = grads.size() > 1 ? grads[1] : at::Tensor();
    variable_list all(8);
    if (!grads[0].defined()) {
      all[0] = rest;
      return all;
    }
    // A gradient that is to have one itself (create_graph) is libtorch's.
    if (at::GradMode::is_enabled()) {
      variable_list inputs;
      std::vector<int> places;
      for (auto [place, t] : {std::pair(0, x), {1, shift}, {3, weight}, {4, bias}})
        if (t.defined() && t.requires_grad()) inputs.push_back(t), places.push_back(place);
      auto found = torch::autograd::grad({composed(x, shift, groups, weight, bias, eps, act)},
                                         inputs, {grads[0]}, true, true);
      for (size_t i = 0; i < places.size(); i++) all[places[i]] = found[i];
      if (rest.defined()) all[0] = all[0].defined() ? all[0] + rest : rest;
      return all;
    }
    at::Tensor mean = saved[4], dy = like(grads[0], x), dx = at::empty_like(x);
    if (rest.defined()) rest = like(rest, x);
    // [samples,channels] each: of weight, bias, shift.
    at::Tensor sums = at::empty({shift.defined() ? 3 : 2, x.size(0), x.size(1)}, mean.options());
    if (x.is_cpu()) {
      GroupNorm o = shape(x, groups, eps, act);
      at::Tensor s = flat(shift), w = flat(weight), b = flat(bias);
      o.shift = numbers(s), o.weight = numbers(w), o.bias = numbers(b);
      o.mean = mean.mutable_data_ptr<float>(), o.rstd = o.mean + o.samples * groups;
      o.dy = dy.const_data_ptr(), o.dx = dx.mutable_data_ptr();
      o.rest = rest.defined() ? rest.const_data_ptr() : nullptr;
      o.dweight = sums.mutable_data_ptr<float>(), o.dbias = o.dweight + o.samples * o.channels;
      if (shift.defined()) o.dshift = o.dbias + o.samples * o.channels;
      run(loops().backward, o);
    } else {
      GroupNormOperands{x, shift, weight, bias, groups, eps, act}.backward_on_gpu(mean, dy, rest,
                                                                                  dx, sums);
    }
    at::Tensor both = sums.narrow(0, 0, 2).sum(1);
    all[0] = dx;
    if (shift.defined()) all[1] = sums[2].to(shift.scalar_type());
    if (weight.defined()) all[3] = both[0].to(weight.scalar_type());
    if (bias.defined()) all[4] = both[1].to(bias.scalar_type());
    return all;
  }
};

// Rows of few pixels are libtorch's: the loops lose more at each row's end than
// they gain (half of libtorch's speed at 16 pixels, the same at 64).
bool short_rows(const at::Tensor &x) {
  int64_t pixels = x.numel() / (x.size(0) * x.size(1));
  return pixels > 1 && pixels < 64 && !channels_last(x);
}

bool ours(const at::Tensor &x, const at::Tensor &weight) {
  return computed(x) && !(weight.defined() && weight.scalar_type() == at::kDouble) &&
         !short_rows(x);
}

}  // namespace

at::Tensor libtorch_group_norm(const at::Tensor &x, int64_t groups,
                               const std::optional<at::Tensor> &weight,
                               const std::optional<at::Tensor> &bias, double eps) {
  // Its gradients of weights want an input that has one where channels lie side by side
  // (they write beyond what there is), and those of a bias want a weight.
  bool given = x.is_cpu() && at::GradMode::is_enabled() && !x.requires_grad();
  at::Tensor w = or_none(weight), b = or_none(bias);
  if (b.defined() && !w.defined()) w = at::ones_like(b);
  return at::group_norm(given ? x.contiguous() : x, groups, optional(w), optional(b), eps);
}

namespace {

// With skip, x follows what is normalised.
variable_list normalised(const at::Tensor &x, const std::optional<at::Tensor> &shift,
                         int64_t groups, const std::optional<at::Tensor> &weight,
                         const std::optional<at::Tensor> &bias, double eps, bool act, bool skip) {
  RECORD_FUNCTION("gotorch::group_norm", std::vector<c10::IValue>());
  at::Tensor s = or_none(shift), w = or_none(weight), b = or_none(bias);
  TORCH_CHECK(x.dim() >= 2, "group normalisation is of [samples,channels,...], not ", x.sizes());
  int64_t channels = x.size(1);
  TORCH_CHECK(groups > 0 && channels % groups == 0, groups, " groups do not divide ", channels,
              " channels");
  for (const at::Tensor &t : {w, b})
    TORCH_CHECK(!t.defined() || t.sizes() == at::IntArrayRef{channels},
                "weight and bias must be of shape [", channels, "], not ", t.sizes());
  TORCH_CHECK(!s.defined() || s.sizes() == x.sizes().slice(0, 2), "what is added to ", x.sizes(),
              " must be of shape ", x.sizes().slice(0, 2), ", not ", s.sizes());
  for (const at::Tensor &t : {s, w, b})
    TORCH_CHECK(!t.defined() || t.device() == x.device(), "operands are on different devices");
  auto apply = [&](const at::Tensor &as_it_lies, bool skip) {
    return Function::apply(as_it_lies, optional(s), groups, optional(w), optional(b), eps, act,
                           skip);
  };
  bool as_it_lies = channels_last(x) || (x.dim() == 2 && x.is_contiguous());
  if (GroupNormOperands{x, s, w, b, groups, eps, act}.on_gpu(as_it_lies)) {
    if (as_it_lies) return apply(x, skip);
    return {apply(x.movedim(1, -1).contiguous().movedim(-1, 1), false)[0].contiguous(), x};
  }
  if (!ours(x, w)) return {composed(x, s, groups, w, b, eps, act), x};
  return apply(channels_last(x) ? x : x.contiguous(), skip);
}

}  // namespace

at::Tensor group_norm(const at::Tensor &x, const std::optional<at::Tensor> &shift, int64_t groups,
                      const std::optional<at::Tensor> &weight,
                      const std::optional<at::Tensor> &bias, double eps, bool act) {
  return normalised(x, shift, groups, weight, bias, eps, act, false)[0];
}

std::tuple<at::Tensor, at::Tensor> group_norm_skip(const at::Tensor &x,
                                                   const std::optional<at::Tensor> &shift,
                                                   int64_t groups,
                                                   const std::optional<at::Tensor> &weight,
                                                   const std::optional<at::Tensor> &bias,
                                                   double eps, bool act) {
  bool wanted = at::GradMode::is_enabled() && x.requires_grad();
  auto both = normalised(x, shift, groups, weight, bias, eps, act, wanted);
  return {both[0], wanted ? both[1] : x};
}

}  // namespace gt
