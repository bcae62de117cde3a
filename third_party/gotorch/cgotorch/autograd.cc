// Gradients and the thread's modes.
#include "core.h"
#include "internal.h"

using gt::Borrowed;

GT_EXPORT gt_r0 gt_backward(void *t, void *grad) {
  return gt::none([&] { Borrowed(t).t.backward(Borrowed(grad).t); });
}

GT_EXPORT gt_rl gt_autograd_grad(void **outs, int64_t nouts, void **ins, int64_t nins, void **grads,
                                 bool retain_graph, bool create_graph) {
  return gt::many([&] {
    std::vector<at::Tensor> g;
    if (grads) g = gt::list(grads, nouts);
    return torch::autograd::grad(gt::list(outs, nouts), gt::list(ins, nins), g,
                                 /*retain_graph=*/retain_graph || create_graph, create_graph,
                                 /*allow_unused=*/true);
  });
}

GT_EXPORT gt_r1 gt_grad(void *t) {
  return gt::one([&] { return Borrowed(t).t.grad(); });
}

GT_EXPORT gt_r0 gt_set_grad(void *t, void *grad) {
  return gt::none([&] { Borrowed(t).t.mutable_grad() = Borrowed(grad).t; });
}

GT_EXPORT gt_r0 gt_set_requires_grad(void *t, bool on) {
  return gt::none([&] { Borrowed(t).t.set_requires_grad(on); });
}

// Data of another shape makes a gradient of the old one, and the node that
// adds to it and checks what it is given, wrong: both go. Where type or device
// change, libtorch sees to the node, and the gradient goes along. (The node goes
// by reset: what set_grad_accumulator takes is another type in libtorch 2.15.)
GT_EXPORT gt_r0 gt_set_data(void *t, void *data) {
  return gt::none([&] {
    at::NoGradGuard guard;
    Borrowed t_(t), data_(data);
    const at::Tensor &self = t_, &from = data_;
    const bool reshaped = !self.sizes().equals(from.sizes());
    at::Tensor grad = self.is_leaf() ? self.grad() : at::Tensor();
    const bool moves = !reshaped && grad.defined() &&
                       (grad.device() != from.device() || grad.scalar_type() != from.scalar_type());
    if (moves) grad = grad.to(from.device(), from.scalar_type());
    self.set_data(from);
    if (moves) self.mutable_grad() = grad;
    if (reshaped && self.is_leaf() && self.requires_grad()) {
      self.mutable_grad() = at::Tensor();
      torch::autograd::impl::materialize_autograd_meta(self)->grad_accumulator_.reset();
    }
  });
}

GT_EXPORT gt_rb gt_get_grad_mode() {
  return gt::truth([] { return at::GradMode::is_enabled(); });
}

// Returns the mode before.
GT_EXPORT gt_rb gt_set_grad_mode(bool on) {
  return gt::truth([&] {
    bool before = at::GradMode::is_enabled();
    at::GradMode::set_enabled(on);
    return before;
  });
}

// Casts inside to dtype, or not at all for dtype float32; returns the state
// before, for gt_autocast_leave.
GT_EXPORT gt_ri gt_autocast_enter(int8_t device, int8_t dtype) {
  return gt::integer([&]() -> int64_t {
    auto kind = static_cast<at::DeviceType>(device);
    int64_t before = at::autocast::is_autocast_enabled(kind) ? 1 : 0;
    before |= static_cast<int64_t>(at::autocast::get_autocast_dtype(kind)) << 1;
    bool on = gt::dtype(dtype) != at::kFloat;
    at::autocast::set_autocast_enabled(kind, on);
    if (on) at::autocast::set_autocast_dtype(kind, gt::dtype(dtype));
    at::autocast::increment_nesting();
    return before;
  });
}

// The cast weights are kept until the outermost autocast ends; kept longer,
// the next step would train on those of this one.
GT_EXPORT gt_r0 gt_autocast_leave(int8_t device, int64_t before) {
  return gt::none([&] {
    auto kind = static_cast<at::DeviceType>(device);
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(kind, before & 1);
    at::autocast::set_autocast_dtype(kind, static_cast<at::ScalarType>(before >> 1));
  });
}
