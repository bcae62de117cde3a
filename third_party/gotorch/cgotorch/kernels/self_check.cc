// Whether kernels on a GPU compute what libtorch's operations do there, tried before they
// are used: no machine that this is built and tested on has one.
#include <ATen/ops/_fused_adamw.h>
#include <torch/csrc/autograd/autograd.h>

#include "adamw_gpu.h"
#include "kernels.h"
#include "launcher.h"
#include "stable_target_gpu.h"

namespace gt {
namespace {

using at::Tensor;
using Tensors = std::vector<Tensor>;

// An operation with a gradient at each of its operands.
struct Operation {
  std::string name;
  std::vector<std::vector<int64_t>> operands;  // shapes
  Tensor (*of)(const Tensors &);
};

// GroupNorm of two groups, with all that it can have; bare without.
template <bool act>
Tensor normalised(const Tensors &x) {
  return group_norm(x[0], x[1], 2, x[2], x[3], 1e-5, act);
}
Tensor bare(const Tensors &x) { return group_norm(x[0], {}, 2, {}, {}, 1e-5, false); }
Tensor with_skip(const Tensors &x) {
  const auto [y, skip] = group_norm_skip(x[0], x[1], 2, x[2], x[3], 1e-5, true);
  return y + 2 * skip;
}

// many: of columns of which an access gets many.
std::vector<Operation> group_norms(bool many) {
  const int64_t c = many ? 16 : 6;
  const std::string name = "GroupNorm of " + std::to_string(c) + " channels";
  return {{name + " with SiLU", {{3, c, 7, 5}, {3, c}, {c}, {c}}, &normalised<true>},
          {name, {{3, c, 7, 5}, {3, c}, {c}, {c}}, &normalised<false>},
          {name + " without weights", {{3, c, 7, 5}}, &bare},
          {name + " with a skip", {{3, c, 7, 5}, {3, c}, {c}, {c}}, &with_skip}};
}

Tensor biased(const Tensors &x) { return bias_silu(x[0], x[1]); }
Tensor activated(const Tensors &x) { return bias_silu(x[0], {}); }

// Rows of one chunk, and of more.
std::vector<Operation> bias_silus(bool many) {
  const int64_t c = many ? 40 : 37;
  const std::string name = "SiLU of " + std::to_string(c) + " columns";
  return {{name + " with bias", {{50, c}, {c}}, &biased},
          {name + " with bias, of many rows", {{2100, c}, {c}}, &biased},
          {name, {{50, c}}, &activated}};
}

// Numbers about 0.5, the same in every run, and of no generator. A picture's channels lie
// side by side.
Tensor numbers(at::IntArrayRef sizes, int seed, at::ScalarType type, c10::Device d) {
  const int64_t n = c10::multiply_integers(sizes);
  Tensor x = at::arange(n, at::kDouble).add_(seed).mul_(seed + 0.7).sin_().add_(0.5).view(sizes);
  x = x.to(at::kBFloat16).to(type);  // the same in all types
  if (sizes.size() == 4) x = x.contiguous(at::MemoryFormat::ChannelsLast);
  return x.to(d);
}

// The output, and the gradients at all operands.
Tensors run(const Operation &o, at::ScalarType type, c10::Device d, GPUProgram p, bool ours) {
  const Launcher::Trial trial(p, ours);
  Tensors x;
  for (const auto &sizes : o.operands)
    x.push_back(numbers(sizes, static_cast<int>(x.size()), type, d).requires_grad_());
  const Tensor y = o.of(x);
  Tensors all =
      torch::autograd::grad({y}, x, {numbers(y.sizes(), 9, type, d)}, false, false, false);
  all.insert(all.begin(), y.detach());
  return all;
}

double apart(const Tensor &a, const Tensor &b) {
  const Tensor want = b.to(at::kDouble);
  return (a.to(at::kDouble).sub(want).norm() / want.norm()).item<double>();
}

// Sees to it that what the caller has set does not count.
struct Plainly {
  const at::AutoGradMode gradients{true};
  const c10::InferenceMode usual{false};
  const at::DeviceType type;
  const bool cast;

  explicit Plainly(at::DeviceType t) : type(t), cast(at::autocast::is_autocast_enabled(t)) {
    at::autocast::set_autocast_enabled(type, false);
  }
  ~Plainly() { at::autocast::set_autocast_enabled(type, cast); }
};

// Operations that a program of elements computes, in their type.
void check_operations(c10::Device d, GPUProgram p, at::ScalarType type,
                      const std::vector<Operation> &all) {
  for (const Operation &o : all) {
    // The roundings of bf16 are of the results alone: libtorch's are those of float32.
    const Tensors want = run(o, at::kFloat, d, p, false), got = run(o, type, d, p, true);
    const double allowed = type == at::kFloat ? 1e-4 : 1e-2;
    for (size_t i = 0; i < want.size(); i++) {
      const double off = apart(got[i], want[i]);
      TORCH_CHECK(off <= allowed, o.name, " in ", type, ": ",
                  i ? "gradient " + std::to_string(i) : "the output", " is ", off,
                  " off libtorch's");
    }
  }
}

// A parameter and what belongs to it, whose elements begin where the device's accesses to many
// do not, if odd is 1.
struct Parameter {
  Tensor value, grad, first, second, average, rounded;

  Parameter(int64_t n, int64_t odd, c10::Device d) {
    auto of = [&](int seed, double scale) {
      Tensor x = numbers({odd + n}, seed, at::kFloat, d).mul_(scale);
      return seed == 3 ? x.abs_().narrow(0, odd, n) : x.narrow(0, odd, n);
    };
    value = of(1, 1), grad = of(2, 0.25), first = of(4, 0.1), second = of(3, 0.01);
    average = of(5, 1), rounded = at::zeros({odd + n}, value.options().dtype(at::kBFloat16));
    rounded = rounded.narrow(0, odd, n);
  }
  AdamWOperands operands() const {
    auto at = [](const Tensor &t) { return t.data_ptr<float>(); };
    return {value.numel(), at(value),   at(grad),          at(first),
            at(second),    at(average), rounded.data_ptr()};
  }
};

// Three steps of which the second is none, as a gradient is not finite. rates of numbers that
// float32 has as they are.
void check_adamw(c10::Device d) {
  const at::NoGradGuard no_grad;
  const Launcher::Trial trial(GPUProgram::adamw, true);
  std::vector<Parameter> ours, theirs;
  for (auto *all : {&ours, &theirs})
    for (int64_t n : {5000, 3}) {
      all->emplace_back(n, 0, d);
      all->emplace_back(n, 1, d);
    }
  const auto options = ours[0].value.options();
  const Tensor rates = at::full({3}, 1.0 / 64, options), weights = at::full({3}, 0.25, options);
  const Tensor next = at::zeros({1}, options.dtype(at::kLong)), notes = at::zeros({2, 3}, options);
  const Tensor count = at::full({}, 4, options), loss = at::full({}, 2, options);
  for (int step = 0; step < 3; step++) {
    std::vector<AdamWOperands> operands;
    Tensors value, grad, first, second, average;
    const double at_once = step == 1 ? std::numeric_limits<double>::infinity() : 1;
    for (const Parameter &p : ours) {
      p.grad.mul_(at_once);
      operands.push_back(p.operands());
    }
    for (const Parameter &p : theirs) {
      value.push_back(p.value), grad.push_back(p.grad), first.push_back(p.first);
      second.push_back(p.second), average.push_back(p.average);
    }
    const Tensor norm = at::cat(grad).norm();
    step_on_gpu({0.9, 0.999, 1e-8, 0.01, 0.5, loss, rates, weights, next, notes, count}, operands);
    if (step != 1) {
      const Tensors counts(value.size(), at::full({}, step ? 6 : 5, options));
      at::_fused_adamw_(value, grad, first, second, {}, counts, rates[0], 0.9, 0.999, 0.01, 1e-8,
                        false, false, norm.add(1e-6).mul_(2));
    }
    for (const Parameter &p : theirs) p.average.lerp_(p.value, 0.25);
    for (const Parameter &p : ours)
      if (step == 1) p.grad.copy_(theirs[&p - ours.data()].grad);
    auto check = [&](const Tensor &got, const Tensor &want, double allowed, const char *what) {
      const double off = apart(got, want);
      TORCH_CHECK(off <= allowed, "AdamW, step ", step + 1, ": ", what, " is ", off,
                  " off libtorch's");
    };
    for (size_t i = 0; i < ours.size(); i++) {
      const Parameter &a = ours[i], &b = theirs[i];
      check(a.value, b.value, 1e-6, "a parameter"), check(a.first, b.first, 1e-5, "a moment");
      check(a.second, b.second, 1e-5, "a moment"), check(a.average, b.average, 1e-6, "an average");
      check(a.grad, b.grad, 1e-5, "a gradient");
      check(a.rounded, a.value.to(at::kBFloat16), 0, "a rounding");
    }
    check(notes[0][step], loss, 0, "the loss");
    if (step != 1) check(notes[1][step], norm, 1e-5, "the norm");
  }
  TORCH_CHECK(count.item<float>() == 6 && next.item<int64_t>() == 3,
              "AdamW counts its updates otherwise");
}

// By libtorch's operations in float64, which need no product.
void check_stable_target(c10::Device d) {
  const at::NoGradGuard no_grad;
  const Launcher::Trial trial(GPUProgram::stable_target, true);
  for (int64_t dims : {2, 300}) {
    const Tensor x0 = numbers({300, dims}, 1, at::kFloat, d);
    const Tensor x1 = numbers({300, dims}, 2, at::kFloat, d);
    const Tensor ratio = numbers({300}, 3, at::kFloat, d).abs_();
    const Tensor got = stable_target_there(x0, x1, ratio), data = x1.to(at::kDouble);
    const Tensor way = data.unsqueeze(0) - data.unsqueeze(1);  // [i,j]: to j
    const Tensor z = x0.to(at::kDouble).unsqueeze(1) - way * ratio.to(at::kDouble).view({-1, 1, 1});
    const Tensor w = z.square().sum(2).mul_(-0.5).softmax(1);
    const double off = apart(got, way.mul(w.unsqueeze(2)).sum(1));
    TORCH_CHECK(off <= 1e-4, "stable targets of ", dims, " dimensions are ", off,
                " off libtorch's");
  }
}

}  // namespace

void check_kernels(c10::Device d, GPUProgram p, Launcher &l) {
  const c10::DeviceGuard guard(d);
  const Plainly plainly(d.type());
  // A case for each program: the compiler tells of one that is missing.
  switch (p) {
#define GT_ELEMENTS(program, operations)                      \
  case GPUProgram::program##_bf16x8:                          \
    check_operations(d, p, at::kBFloat16, operations(true));  \
    break;                                                    \
  case GPUProgram::program##_bf16:                            \
    check_operations(d, p, at::kBFloat16, operations(false)); \
    break;                                                    \
  case GPUProgram::program##_f32x4:                           \
    check_operations(d, p, at::kFloat, operations(true));     \
    break;                                                    \
  case GPUProgram::program##_f32:                             \
    check_operations(d, p, at::kFloat, operations(false));    \
    break;
    GT_ELEMENTS(group_norm, group_norms)
    GT_ELEMENTS(bias_silu, bias_silus)
    case GPUProgram::adamw:
      check_adamw(d);
      break;
    case GPUProgram::stable_target:
      check_stable_target(d);
      break;
  }
  for (const auto &k : gpu_text()[p].kernels)
    TORCH_CHECK(l.tried().count(k.name), "nothing has tried ", k.name);
}

}  // namespace gt
