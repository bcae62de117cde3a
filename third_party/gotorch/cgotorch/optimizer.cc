// Upstream's optimisers: SGD and Adam over lists of parameters, by libtorch's
// fused kernels, with the state that torch.optim keeps.
#include "core.h"
#include "internal.h"

using gt::Borrowed;

namespace {

struct Parameter {
  at::Tensor value;
  at::Tensor step;    // float32 []: updates done (Adam)
  at::Tensor first;   // the momentum (SGD), the first moment (Adam)
  at::Tensor second;  // the second moment (Adam)
};

// What the fused kernels take: one list for each of a parameter's tensors.
struct Lists {
  std::vector<at::Tensor> value, grad, step, first, second;
  void add(Parameter &p) {
    value.push_back(p.value);
    grad.push_back(p.value.grad());
    if (p.step.defined()) step.push_back(p.step);
    if (p.first.defined()) first.push_back(p.first);
    if (p.second.defined()) second.push_back(p.second);
  }
};

class Optimizer {
 public:
  explicit Optimizer(double lr) : lr_(lr) {}
  virtual ~Optimizer() = default;
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
      if (!p.value.grad().defined()) continue;
      bool first = momentum_ != 0 && !p.first.defined();
      if (first) p.first = at::empty_like(p.value);
      (first ? fresh : known).add(p);
    }
    run(fresh, true);
    run(known, false);
  }

 private:
  void run(Lists &l, bool first) {
    if (l.value.empty()) return;
    at::_fused_sgd_(l.value, l.grad, l.first, weight_decay_, momentum_, lr_, dampening_, nesterov_,
                    /*maximize=*/false, first);
  }
  double momentum_, dampening_, weight_decay_;
  bool nesterov_;
};

class Adam final : public Optimizer {
 public:
  Adam(double lr, double beta1, double beta2, double weight_decay)
      : Optimizer(lr), beta1_(beta1), beta2_(beta2), weight_decay_(weight_decay) {}

  void step() override {
    Lists l;
    for (auto &p : parameters) {
      if (!p.value.grad().defined()) continue;
      if (!p.step.defined()) {
        p.step = at::zeros({}, p.value.options().dtype(at::kFloat));
        p.first = at::zeros_like(p.value);
        p.second = at::zeros_like(p.value);
      }
      p.step.add_(1);  // the kernel expects that
      l.add(p);
    }
    if (l.value.empty()) return;
    at::_fused_adam_(l.value, l.grad, l.first, l.second, {}, l.step, lr_, beta1_, beta2_,
                     weight_decay_, /*eps=*/1e-8, /*amsgrad=*/false, /*maximize=*/false);
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
