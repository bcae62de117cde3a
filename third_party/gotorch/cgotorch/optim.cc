// One call for all parameters: gradients, AdamW, averages.
#include "optim.h"

#include <ATen/ops/scalar_tensor.h>
#include <torch/csrc/autograd/utils/grad_layout_contract.h>

#include "core.h"
#include "internal.h"
#include "kernels/adamw_gpu.h"
#include "kernels/fused.h"
#include "kernels/rounded.h"

using gt::Borrowed;
using torch::autograd::impl::bump_version;

GT_EXPORT gt_r0 gt_zero_grad(void **params, int64_t n) {
  return gt::none([&] {
    for (int64_t i = 0; i < n; i++) {
      Borrowed p(params[i]);
      p.t.mutable_grad() = at::Tensor();
      if (gt::Rounded *r = gt::Rounded::of(p.t)) r->half.mutable_grad() = at::Tensor();
    }
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
    if (std::all_of(g.begin(), g.end(), [](const at::Tensor &t) {
          return t.is_cpu() && gt::alongside(t, t, false) && t.is_non_overlapping_and_dense();
        }))
      return at::scalar_tensor(gt::norm_of_all(g), at::kFloat);
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

namespace {

struct Update {
  double lr, beta1, beta2, eps, weight_decay;
  void *lr_there, *grad_scale, *found_inf;
};

struct Operands {
  std::vector<at::Tensor> all, averages;      // of all parameters; averages may be none
  std::vector<at::Tensor> param, grad, m, v;  // of those that have a gradient
};

// All parameters that there are, with what belongs to those that have a gradient.
Operands operands(void **params, void **exp_avgs, void **exp_avg_sqs, void **averages, int64_t n) {
  Operands o;
  o.all = gt::list(params, n);
  if (averages) o.averages = gt::list(averages, n);
  for (int64_t i = 0; i < n; i++) {
    Borrowed first_(exp_avgs[i]), second_(exp_avg_sqs[i]);
    const at::Tensor &param = o.all[i];
    at::Tensor grad = gt::gradient(param);
    if (!grad.defined()) continue;
    o.param.push_back(param);
    o.grad.push_back(std::move(grad));
    o.m.push_back(gt::moment(first_, param, "the first moment"));
    o.v.push_back(gt::moment(second_, param, "the second moment"));
  }
  TORCH_CHECK(!o.param.empty(), "no parameter has a gradient");
  return o;
}

// Whether loops on d can go through all that belongs to a parameter, for all of them at once.
bool side_by_side(const Operands &o, c10::Device d) {
  for (size_t i = 0; i < o.all.size(); i++) {
    const at::Tensor &p = o.all[i];
    if (p.device() != d || !gt::alongside(p, p, false) || !p.is_non_overlapping_and_dense())
      return false;
    if (!o.averages.empty() && !gt::alongside(p, o.averages[i], false)) return false;
  }
  for (size_t i = 0; i < o.param.size(); i++)
    for (const at::Tensor &t : {o.grad[i], o.m[i], o.v[i]})
      if (!gt::alongside(o.param[i], t, false)) return false;

  std::vector<const void *>
      places;  // a parameter that is there twice would be moved by two threads
  for (const at::Tensor &p : o.all)
    if (p.numel()) places.push_back(p.const_data_ptr());
  std::sort(places.begin(), places.end());
  return std::adjacent_find(places.begin(), places.end()) == places.end();
}

// What loops go through; without update, averages alone.
std::vector<gt::AdamWOperands> loops(const Operands &o, bool update) {
  std::vector<gt::AdamWOperands> all;
  all.reserve(o.all.size());
  for (size_t i = 0, k = 0; i < o.all.size(); i++) {
    const at::Tensor &p = o.all[i];
    gt::AdamWOperands w = {};
    w.n = p.numel(), w.param = p.data_ptr<float>();
    if (k < o.param.size() && o.param[k].is_same(p)) {
      if (update) {
        w.grad = o.grad[k].data_ptr<float>();
        w.exp_avg = o.m[k].data_ptr<float>(), w.exp_avg_sq = o.v[k].data_ptr<float>();
        if (gt::Rounded *r = gt::Rounded::of(p); r && r->fits(p)) w.rounded = r->half.data_ptr();
      }
      k++;
    }
    if (!o.averages.empty()) w.average = o.averages[i].data_ptr<float>();
    if (w.grad || w.average) all.push_back(w);
  }
  return all;
}

// Counts the versions of what loops have changed on; roundings are those of the new ones.
void changed(const Operands &o, bool update, bool scaled) {
  if (update)
    for (size_t k = 0; k < o.param.size(); k++) {
      const at::Tensor &p = o.param[k];
      if (scaled) bump_version(o.grad[k]);
      bump_version(p), bump_version(o.m[k]), bump_version(o.v[k]);
      if (gt::Rounded *r = gt::Rounded::of(p); r && r->fits(p)) {
        r->now(p);
        r->updated(true);
      }
    }
  for (const at::Tensor &t : o.averages) bump_version(t);
}

// step, and the averages where there are some, in one pass of our own on a processor, with the
// bits of libtorch's; false, and nothing done, where the operands are not ones for it.
bool fused(const Operands &o, const at::Tensor &step, const Update &u, double weight) {
  if (u.lr_there || !step.is_cpu() || step.scalar_type() != at::kFloat ||
      !side_by_side(o, at::kCPU))
    return false;
  // Where libtorch has vectors of 16, its compiler made one more of 8 of a longer rest.
  for (const at::Tensor &p : o.param)
    if (p.numel() % gt::AdamWLoops::unit >= 8) return false;

  auto number = [](void *t) { return Borrowed(t).t.item<float>(); };
  gt::AdamW a = {};
  a.update = !u.found_inf || number(u.found_inf) != 1;
  if (a.update) *step.data_ptr<float>() += 1;
  bump_version(step);
  double t = *step.const_data_ptr<float>();
  a.decay = static_cast<float>(1 - u.lr * u.weight_decay);
  if (u.weight_decay == 0) a.decay = 1;
  a.scale = u.grad_scale ? number(u.grad_scale) : 1;
  a.first = static_cast<float>(1 - u.beta1), a.second = static_cast<float>(1 - u.beta2);
  a.beta2 = static_cast<float>(u.beta2), a.eps = static_cast<float>(u.eps);
  a.rate = static_cast<float>(-(u.lr / (1 - std::pow(u.beta1, t))));
  a.correct = static_cast<float>(std::sqrt(1 - std::pow(u.beta2, t)));
  a.weight = static_cast<float>(weight);
  gt::step_all(a, loops(o, a.update));
  changed(o, a.update, a.scale != 1);
  return true;
}

// The same by libtorch's kernels. step is advanced before (they expect that), and taken
// back where found_inf is 1 and nothing was done.
void by_libtorch(const Operands &o, const at::Tensor &step, const Update &u, double weight) {
  step.add_(1);
  try {
    std::vector<at::Tensor> steps(o.param.size(), step);
    auto update = [&](const auto &rate) {
      at::_fused_adamw_(o.param, o.grad, o.m, o.v, {}, steps, rate, u.beta1, u.beta2,
                        u.weight_decay, u.eps, /*amsgrad=*/false, /*maximize=*/false,
                        gt::optional(u.grad_scale), gt::optional(u.found_inf));
    };
    u.lr_there ? update(Borrowed(u.lr_there).t) : update(u.lr);
  } catch (...) {
    step.sub_(1);
    throw;
  }
  // They do not count the versions on, by which autograd and roundings see a change.
  for (const auto *list : {&o.param, &o.m, &o.v})
    for (const at::Tensor &t : *list) bump_version(t);
  for (const at::Tensor &p : o.param)
    if (gt::Rounded *r = gt::Rounded::of(p)) r->updated(false);
  if (u.found_inf) step.sub_(Borrowed(u.found_inf).t);
  if (!o.averages.empty()) at::_foreach_lerp_(o.averages, o.all, weight);
}

}  // namespace

// AdamW over all parameters that have a gradient. step, one float32 number on the
// parameters' device, counts the updates. The learning rate is lr, or the float32
// number in lr_there, which is then not read by the host. averages, a list as long
// as params or null, move towards the parameters as in gt_lerp_all.
GT_EXPORT gt_r0 gt_adamw(void **params, void **exp_avgs, void **exp_avg_sqs, int64_t n, void *step,
                         double lr, void *lr_there, double beta1, double beta2, double eps,
                         double weight_decay, void *grad_scale, void *found_inf, void **averages,
                         double weight) {
  return gt::none([&] {
    at::NoGradGuard guard;
    const Operands o = operands(params, exp_avgs, exp_avg_sqs, averages, n);
    Update u = {lr, beta1, beta2, eps, weight_decay, lr_there, grad_scale, found_inf};
    Borrowed step_(step);
    if (!fused(o, step_, u, weight)) by_libtorch(o, step_, u, weight);
  });
}

// The same by kernels of our own on a GPU, which has what changes from step to step: count, as
// step above; of some steps the learning rates and weights, float32 [steps]; next, the one
// that is to be done, int64 [1], which is counted on. Gradients' common norm is brought down to
// max_norm, unless that is 0; it and the loss are written to notes, float32 [2,steps]. Where
// one of them is not finite, only averages move. False, and nothing done, where there are no such
// kernels.
GT_EXPORT gt_rb gt_adamw_on_device(void **params, void **exp_avgs, void **exp_avg_sqs, int64_t n,
                                   void *count, double beta1, double beta2, double eps,
                                   double weight_decay, double max_norm, void *loss, void *rates,
                                   void *weights, void *next, void *notes, void **averages) {
  return gt::truth([&] {
    at::NoGradGuard guard;
    Borrowed count_(count), loss_(loss), rates_(rates), weights_(weights), next_(next),
        notes_(notes);
    const c10::Device d = count_.t.device();
    auto must_be = [&](const at::Tensor &t, at::ScalarType type, int64_t of, const char *what) {
      TORCH_CHECK(
          t.device() == d && t.scalar_type() == type && t.numel() == of && t.is_contiguous(), what,
          " of a step must be ", of, " numbers of type ", type, " on ", d, ", not ", t.sizes(),
          " of type ", t.scalar_type(), " on ", t.device());
    };
    const int64_t steps = rates_.t.numel();
    must_be(count_, at::kFloat, 1, "the count of updates"),
        must_be(loss_, at::kFloat, 1, "the loss");
    must_be(rates_, at::kFloat, steps, "the learning rates");
    must_be(weights_, at::kFloat, steps, "the weights"), must_be(next_, at::kLong, 1, "the turn");
    must_be(notes_, at::kFloat, 2 * steps, "the notes");
    const Operands o = operands(params, exp_avgs, exp_avg_sqs, averages, n);
    if (!gt::adamw_on_gpu(d, o.all) || !side_by_side(o, d)) return false;
    gt::step_on_gpu(
        {beta1, beta2, eps, weight_decay, max_norm, loss_, rates_, weights_, next_, notes_, count_},
        loops(o, true));
    changed(o, true, max_norm > 0);
    for (const at::Tensor &t : {count_.t, next_.t, notes_.t}) bump_version(t);
    return true;
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
