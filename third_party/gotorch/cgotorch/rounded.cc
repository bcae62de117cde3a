// Parameters' roundings, and their gradients.
#include "kernels/rounded.h"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_copy.h>

#include "core.h"
#include "internal.h"
#include "kernels/adamw.h"
#include "kernels/fused.h"

using gt::Borrowed;

namespace gt {

Rounded::Rounded(const at::Tensor &param)
    : half(at::empty_like(param.detach(), param.options().dtype(at::kBFloat16))
               .set_requires_grad(param.requires_grad())),
      param_(param.unsafeGetTensorImpl()) {}

Rounded *Rounded::of(const at::Tensor &param) {
  auto *r = dynamic_cast<Rounded *>(param.unsafeGetTensorImpl()->get_backend_meta());
  return r && r->param_ == param.unsafeGetTensorImpl() ? r : nullptr;
}

bool Rounded::fits(const at::Tensor &param) const {
  return param.device() == half.device() && param.scalar_type() == at::kFloat &&
         half.sizes() == param.sizes() && half.strides() == param.strides();
}

bool Rounded::fresh(const at::Tensor &param) const {
  return known_ && place_ == param.const_data_ptr() && version_ == param._version() && fits(param);
}

void Rounded::now(const at::Tensor &param) {
  half.unsafeGetTensorImpl()->bump_version();
  known_ = true;
  version_ = param._version();
  place_ = param.const_data_ptr();
}

static thread_local bool use_rounded = false;

at::Tensor rounded(const at::Tensor &w) {
  if (!use_rounded || !w.defined()) return w;
  const auto device = w.device().type();
  if (!at::autocast::is_autocast_enabled(device) ||
      at::autocast::get_autocast_dtype(device) != at::kBFloat16)
    return w;
  Rounded *r = Rounded::of(w);
  return r && r->fresh(w) ? r->half : w;
}

namespace {

// Rounds parameters on a device, all of them in one call.
void round_there(const std::vector<at::Tensor> &params) {
  std::vector<at::Tensor> halves;
  for (const at::Tensor &p : params) halves.push_back(Rounded::of(p)->half);
  if (params.empty()) return;
  at::NoGradGuard guard;
  at::_foreach_copy_(halves, params);
  for (const at::Tensor &p : params) Rounded::of(p)->now(p);
}

// Whether the elements of two tensors of a shape lie in memory in the same order.
bool in_order(const at::Tensor &a, const at::Tensor &b) {
  for (int64_t d = 0; d < a.dim(); d++)
    if (a.size(d) > 1 && a.stride(d) != b.stride(d)) return false;
  return true;
}

// Adds the gradients that Backward has left at the roundings of parameters on a device, in as few
// calls. A gradient of another layout, which would make libtorch take all of them one by
// one, is brought into the parameter's first.
void gather_there(const std::vector<at::Tensor> &params) {
  std::vector<at::Tensor> halves, wide, sums, more;
  for (const at::Tensor &p : params) {
    at::Tensor g = Rounded::of(p)->half.grad();
    TORCH_CHECK(g.sizes() == p.sizes(), "a gradient of the shape ", g.sizes(),
                " for a parameter of the shape ", p.sizes());
    at::Tensor to = at::empty_like(p);
    if (!in_order(g, to))
      g = at::empty_like(to, g.options()).copy_(g);
    else if (g.strides() != to.strides())
      g = g.as_strided(to.sizes(), to.strides(), g.storage_offset());
    halves.push_back(std::move(g)), wide.push_back(std::move(to));
  }
  if (params.empty()) return;
  at::_foreach_copy_(wide, halves);
  for (size_t i = 0; i < params.size(); i++)
    if (params[i].grad().defined()) sums.push_back(params[i].grad()), more.push_back(wide[i]);
  if (!sums.empty()) at::_foreach_add_(sums, more);
  for (size_t i = 0; i < params.size(); i++) {
    Rounded::of(params[i])->half.mutable_grad() = at::Tensor();
    if (!params[i].grad().defined()) params[i].mutable_grad() = wide[i];
  }
}

}  // namespace
}  // namespace gt

// Gives float32 parameters roundings, which gt_rounded_refresh fills; those that have one
// keep it.
GT_EXPORT gt_rl gt_rounded_new(void **params, int64_t n) {
  return gt::many([&] {
    at::NoGradGuard guard;
    std::vector<at::Tensor> halves;
    for (int64_t i = 0; i < n; i++) {
      Borrowed p_(params[i]);
      const at::Tensor &p = p_;
      TORCH_CHECK(p.scalar_type() == at::kFloat && p.is_leaf() && !p.is_inference() &&
                      p.is_non_overlapping_and_dense(),
                  "only a float32 parameter without gaps has a rounding");
      if (gt::Rounded *r = gt::Rounded::of(p); r && r->fits(p)) {
        halves.push_back(r->half);
        continue;
      }
      auto made = c10::make_intrusive<gt::Rounded>(p);
      halves.push_back(made->half);
      p.unsafeGetTensorImpl()->set_backend_meta(std::move(made));
    }
    return halves;
  });
}

GT_EXPORT gt_r0 gt_rounded_drop(void **params, int64_t n) {
  return gt::none([&] {
    for (int64_t i = 0; i < n; i++) {
      Borrowed p_(params[i]);
      if (gt::Rounded::of(p_.t)) p_.t.unsafeGetTensorImpl()->set_backend_meta({});
    }
  });
}

// Rounds the parameters that have changed otherwise than by what keeps roundings up; says how
// many. On a device where nothing does they are all: steps that a graph replays change them
// without a trace.
GT_EXPORT gt_ri gt_rounded_refresh(void **params, int64_t n) {
  return gt::integer([&] {
    std::vector<gt::AdamWOperands> stale;
    std::vector<std::pair<gt::Rounded *, void *>> of;
    std::vector<at::Tensor> there;
    for (int64_t i = 0; i < n; i++) {
      Borrowed p_(params[i]);
      const at::Tensor &p = p_;
      gt::Rounded *r = gt::Rounded::of(p);
      if (!r || !r->fits(p)) continue;
      if (!p.is_cpu()) {
        if (!r->kept() || !r->fresh(p)) there.push_back(p);
        continue;
      }
      if (r->fresh(p)) continue;
      stale.push_back({p.numel(), p.data_ptr<float>(), {}, {}, {}, {}, r->half.data_ptr()});
      of.emplace_back(r, params[i]);
    }
    gt::round_all(stale);
    for (auto [r, p] : of) r->now(Borrowed(p).t);
    gt::round_there(there);
    return static_cast<int64_t>(of.size() + there.size());
  });
}

// Whether products on this thread take roundings; returns what was before.
GT_EXPORT gt_rb gt_rounded_use(bool on) {
  return gt::truth([&] { return std::exchange(gt::use_rounded, on); });
}

// Adds gradients to the parameters', one list after the other: grads has lists
// times n of them, some of which may be missing, each of a parameter or of its rounding. Of
// no list, the gradients are those that Backward has left at the roundings.
GT_EXPORT gt_r0 gt_add_grads(void **params, int64_t n, void **grads, int64_t lists) {
  return gt::none([&] {
    at::NoGradGuard guard;
    struct Sum {
      void *param;
      at::Tensor to;  // what will be the gradient
      std::vector<at::Tensor> parts;
    };
    std::vector<Sum> all;
    std::vector<gt::GradSum> loops;
    std::vector<at::Tensor> there;
    for (int64_t i = 0; i < n; i++) {
      Borrowed p_(params[i]);
      const at::Tensor &p = p_;
      if (!lists && !p.is_cpu()) {
        gt::Rounded *r = gt::Rounded::of(p);
        if (r && r->half.grad().defined()) there.push_back(p);
        continue;
      }
      Sum sum = {params[i], p.grad(), {}};
      for (int64_t k = 0; k < lists; k++)
        if (void *g = grads[k * n + i]) sum.parts.push_back(Borrowed(g).t);
      gt::Rounded *r = lists ? nullptr : gt::Rounded::of(p);
      if (r && r->half.grad().defined()) sum.parts.push_back(r->half.grad());
      if (sum.parts.empty()) continue;
      for (const at::Tensor &part : sum.parts)
        TORCH_CHECK(part.sizes() == p.sizes(), "a gradient of the shape ", part.sizes(),
                    " for a parameter of the shape ", p.sizes());
      if (!sum.to.defined() && sum.parts.size() == 1 && sum.parts[0].scalar_type() == at::kFloat) {
        sum.to = sum.parts[0];
      } else if (gt::sums(p, sum.to, sum.parts)) {
        gt::GradSum s = {};
        s.n = p.numel(), s.add = sum.to.defined(), s.parts = static_cast<int>(sum.parts.size());
        if (!s.add) sum.to = at::empty_like(p);
        s.to = sum.to.data_ptr<float>();
        for (int k = 0; k < s.parts; k++) {
          s.part[k] = sum.parts[k].const_data_ptr();
          s.half[k] = sum.parts[k].scalar_type() == at::kBFloat16;
        }
        loops.push_back(s);
      } else {  // of other layouts
        for (const at::Tensor &part : sum.parts)
          sum.to = sum.to.defined() ? sum.to + part : part.to(p.scalar_type());
      }
      all.push_back(std::move(sum));
    }
    gt::gather_there(there);
    // Memory was all had: nothing of this fails.
    gt::sum_all(loops);
    for (Sum &sum : all) {
      const Borrowed p(sum.param);
      if (gt::Rounded *r = lists ? nullptr : gt::Rounded::of(p.t))
        r->half.mutable_grad() = at::Tensor();
      sum.to.unsafeGetTensorImpl()->bump_version();
      p.t.mutable_grad() = std::move(sum.to);
    }
  });
}
