// One call for all parameters: gradients, AdamW, averages.
#include "optim.h"

#include <torch/csrc/autograd/utils/grad_layout_contract.h>

#include "core.h"
#include "internal.h"

using gt::Borrowed;

GT_EXPORT gt_r0 gt_zero_grad(void **params, int64_t n) {
  return gt::none([&] {
    for (int64_t i = 0; i < n; i++) Borrowed(params[i]).t.mutable_grad() = at::Tensor();
  });
}

static std::vector<at::Tensor> gradients(void **params, int64_t n) {
  std::vector<at::Tensor> g;
  g.reserve(n);
  for (int64_t i = 0; i < n; i++) {
    const at::Tensor &grad = Borrowed(params[i]).t.grad();
    if (grad.defined()) g.push_back(grad);
  }
  return g;
}

// The 2-norm of all gradients together, float32 [].
GT_EXPORT gt_r1 gt_grad_norm(void **params, int64_t n) {
  return gt::one([&] {
    at::NoGradGuard guard;
    auto g = gradients(params, n);
    TORCH_CHECK(!g.empty(), "no parameter has a gradient");
    return at::linalg_vector_norm(at::stack(at::_foreach_norm(g)));
  });
}

// Multiplies all gradients by the number in factor.
GT_EXPORT gt_r0 gt_scale_grads(void **params, int64_t n, void *factor) {
  return gt::none([&] {
    at::NoGradGuard guard;
    auto g = gradients(params, n);
    if (!g.empty()) at::_foreach_mul_(g, Borrowed(factor).t);
  });
}

namespace gt {

// libtorch's fused kernels take the elements of a parameter, its gradient and
// its moments to lie in memory in one and the same order and without gaps, and
// read and write beyond what is smaller.
void must_be_like(const at::Tensor &t, const at::Tensor &param, const char *what) {
  TORCH_CHECK(t.sizes().equals(param.sizes()) && t.device() == param.device() &&
                  t.scalar_type() == param.scalar_type(),
              what, " of a parameter of shape ", param.sizes(), " is of shape ", t.sizes(),
              ", or of another type or device; make a new optimiser for changed parameters");
}

at::Tensor gradient(const at::Tensor &param) {
  at::Tensor g = param.grad();
  if (!g.defined()) return g;
  must_be_like(g, param, "the gradient");
  TORCH_CHECK(param.is_non_overlapping_and_dense(), "a parameter of shape ", param.sizes(),
              " and strides ", param.strides(),
              " has gaps or shares elements with itself; make it contiguous first");
  namespace layout = torch::autograd::utils;
  return layout::obeys_layout_contract(g, param) ? g : layout::clone_obey_contract(g, param);
}

at::Tensor moment(const at::Tensor &t, const at::Tensor &param, const char *what) {
  must_be_like(t, param, what);
  namespace layout = torch::autograd::utils;
  if (!layout::obeys_layout_contract(t, param))  // the parameter's layout was changed
    t.set_data(layout::clone_obey_contract(t, param));
  return t;
}

}  // namespace gt

// libtorch's fused AdamW over all parameters that have a gradient. step, one
// float32 number on the parameters' device, is advanced here (the kernel
// expects that), and taken back where found_inf is 1 and nothing was done. The
// learning rate is lr, or the float32 number in lr_there, which is then not read
// by the host.
GT_EXPORT gt_r0 gt_adamw(void **params, void **exp_avgs, void **exp_avg_sqs, int64_t n, void *step,
                         double lr, void *lr_there, double beta1, double beta2, double eps,
                         double weight_decay, void *grad_scale, void *found_inf) {
  return gt::none([&] {
    at::NoGradGuard guard;
    std::vector<at::Tensor> p, g, m, v, steps;
    Borrowed s_(step);
    const at::Tensor &s = s_;
    for (int64_t i = 0; i < n; i++) {
      Borrowed param_(params[i]), first_(exp_avgs[i]), second_(exp_avg_sqs[i]);
      const at::Tensor &param = param_;
      at::Tensor grad = gt::gradient(param);
      if (!grad.defined()) continue;
      p.push_back(param);
      g.push_back(std::move(grad));
      m.push_back(gt::moment(first_, param, "the first moment"));
      v.push_back(gt::moment(second_, param, "the second moment"));
      steps.push_back(s);
    }
    TORCH_CHECK(!p.empty(), "no parameter has a gradient");
    s.add_(1);
    try {
      auto update = [&](const auto &rate) {
        at::_fused_adamw_(p, g, m, v, {}, steps, rate, beta1, beta2, weight_decay, eps,
                          /*amsgrad=*/false, /*maximize=*/false, gt::optional(grad_scale),
                          gt::optional(found_inf));
      };
      lr_there ? update(Borrowed(lr_there).t) : update(lr);
    } catch (...) {
      s.sub_(1);
      throw;
    }
    if (found_inf) s.sub_(Borrowed(found_inf).t);
  });
}

// dst += weight * (src - dst), for every pair. The weight is weight, or the number
// in weight_there, which the host does not read: libtorch's lerp takes no such one.
GT_EXPORT gt_r0 gt_lerp_all(void **dst, void **src, int64_t n, double weight, void *weight_there) {
  return gt::none([&] {
    at::NoGradGuard guard;
    auto d = gt::list(dst, n), s = gt::list(src, n);
    if (!weight_there) {
      at::_foreach_lerp_(d, s, weight);
      return;
    }
    auto way = at::_foreach_sub(s, d);
    at::_foreach_mul_(way, Borrowed(weight_there).t);
    at::_foreach_add_(d, way);
  });
}

GT_EXPORT gt_r0 gt_copy_all(void **dst, void **src, int64_t n) {
  return gt::none([&] {
    at::NoGradGuard guard;
    for (int64_t i = 0; i < n; i++) Borrowed(dst[i]).t.copy_(Borrowed(src[i]).t);
  });
}
