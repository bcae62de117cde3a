// Upstream's optimisers: SGD and Adam over lists of parameters, by libtorch's
// fused kernels, with the state that torch.optim keeps.
#include "core.h"
#include "internal.h"
#include "optim.h"

using gt::Borrowed;

namespace {

struct Parameter {
  at::Tensor value;
  at::Tensor step;    // float32 []: updates done (Adam)
  at::Tensor first;   // the momentum (SGD), the first moment (Adam)
  at::Tensor second;  // the second moment (Adam)
};

class Optimizer {
 public:
  explicit Optimizer(double lr) : lr_(lr) {}
  virtual ~Optimizer() = default;
  // Makes all that is new before it changes anything, so that a step that fails
  // for lack of memory was not taken.
  virtual void step() = 0;
  std::vector<Parameter> parameters;
  double lr_;
};

class SGD final : public Optimizer {
 public:
  SGD(double lr, double momentum, double dampening, double weight_decay, bool nesterov)
      : Optimizer(lr),
        momentum_(momentum),
        dampening_(dampening),
        weight_decay_(weight_decay),
        nesterov_(nesterov) {}

  void step() override {
    Lists fresh, known;  // a parameter's first gradient becomes its momentum
    for (auto &p : parameters) {
      at::Tensor grad = gt::gradient(p.value);
      if (!grad.defined()) continue;
      const bool first = momentum_ != 0 && !p.first.defined();
      Lists &l = first ? fresh : known;
      l.of.push_back(&p);
      l.value.push_back(p.value);
      l.grad.push_back(std::move(grad));
      if (momentum_ == 0) continue;
      l.momentum.push_back(first ? at::empty_like(p.value)
                                 : gt::moment(p.first, p.value, "the momentum"));
    }
    run(fresh, true);
    for (size_t i = 0; i < fresh.momentum.size(); i++) fresh.of[i]->first = fresh.momentum[i];
    run(known, false);
  }

 private:
  struct Lists {
    std::vector<Parameter *> of;
    std::vector<at::Tensor> value, grad, momentum;
  };

  void run(Lists &l, bool first) {
    if (l.value.empty()) return;
    at::_fused_sgd_(l.value, l.grad, l.momentum, weight_decay_, momentum_, lr_, dampening_,
                    nesterov_, /*maximize=*/false, first);
    // The kernel does not count the versions on, by which autograd sees a change.
    for (const at::Tensor &t : l.value) torch::autograd::impl::bump_version(t);
  }
  double momentum_, dampening_, weight_decay_;
  bool nesterov_;
};

class Adam final : public Optimizer {
 public:
  Adam(double lr, double beta1, double beta2, double weight_decay)
      : Optimizer(lr), beta1_(beta1), beta2_(beta2), weight_decay_(weight_decay) {}

  void step() override {
    std::vector<Parameter *> of;
    std::vector<at::Tensor> value, grad, step, first, second;
    for (auto &p : parameters) {
      at::Tensor g = gt::gradient(p.value);
      if (!g.defined()) continue;
      of.push_back(&p);
      value.push_back(p.value);
      grad.push_back(std::move(g));
      if (p.step.defined()) {
        step.push_back(p.step);
        first.push_back(gt::moment(p.first, p.value, "the first moment"));
        second.push_back(gt::moment(p.second, p.value, "the second moment"));
      } else {
        step.push_back(at::zeros({}, p.value.options().dtype(at::kFloat)));
        first.push_back(at::zeros_like(p.value));
        second.push_back(at::zeros_like(p.value));
      }
    }
    if (value.empty()) return;
    const at::Tensor one = at::ones_like(step[0]);
    at::_foreach_add_(step, one);  // the kernel expects that
    try {
      at::_fused_adam_(value, grad, first, second, {}, step, lr_, beta1_, beta2_, weight_decay_,
                       /*eps=*/1e-8, /*amsgrad=*/false, /*maximize=*/false);
    } catch (...) {
      at::_foreach_sub_(step, one);
      throw;
    }
    for (const at::Tensor &t : value) torch::autograd::impl::bump_version(t);
    for (size_t i = 0; i < of.size(); i++) {
      of[i]->step = step[i];
      of[i]->first = first[i];
      of[i]->second = second[i];
    }
  }

 private:
  double beta1_, beta2_, weight_decay_;
};

Optimizer &optimizer(void *o) { return *static_cast<Optimizer *>(o); }

}  // namespace

GT_EXPORT gt_rp gt_sgd_new(double lr, double momentum, double dampening, double weight_decay,
                           bool nesterov) {
  return gt::pointer([&]() -> void * {
    TORCH_CHECK(!nesterov || (momentum > 0 && dampening == 0),
                "Nesterov's momentum needs a momentum and no dampening");
    return new SGD(lr, momentum, dampening, weight_decay, nesterov);
  });
}

GT_EXPORT gt_rp gt_adam_new(double lr, double beta1, double beta2, double weight_decay) {
  return gt::pointer([&]() -> void * { return new Adam(lr, beta1, beta2, weight_decay); });
}

GT_EXPORT gt_r0 gt_optimizer_add(void *o, void **params, int64_t n) {
  return gt::none([&] {
    auto list = gt::list(params, n);
    for (auto &t : list)
      TORCH_CHECK(t.is_leaf(), "a parameter that was computed from others cannot be optimised");
    for (auto &t : list) optimizer(o).parameters.push_back({t, {}, {}, {}});
  });
}

GT_EXPORT gt_r0 gt_optimizer_zero_grad(void *o) {
  return gt::none([&] {
    for (auto &p : optimizer(o).parameters) p.value.mutable_grad() = at::Tensor();
  });
}

GT_EXPORT gt_r0 gt_optimizer_step(void *o) {
  return gt::none([&] {
    at::NoGradGuard guard;
    optimizer(o).step();
  });
}

GT_EXPORT gt_r0 gt_optimizer_set_lr(void *o, double lr) {
  return gt::none([&] { optimizer(o).lr_ = lr; });
}

GT_EXPORT gt_r0 gt_optimizer_free(void *o) {
  return gt::none([&] { delete static_cast<Optimizer *>(o); });
}
