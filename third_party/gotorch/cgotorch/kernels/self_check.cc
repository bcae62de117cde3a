// Whether kernels on a GPU compute what libtorch's operations do there, tried before they
// are used: no machine that this is built and tested on has one.
#include <torch/csrc/autograd/autograd.h>

#include "kernels.h"
#include "launcher.h"

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

// many: of columns of which an access gets many.
std::vector<Operation> group_norms(bool many) {
  const int64_t c = many ? 16 : 6;
  const std::string name = "GroupNorm of " + std::to_string(c) + " channels";
  return {{name + " with SiLU", {{3, c, 7, 5}, {3, c}, {c}, {c}}, &normalised<true>},
          {name, {{3, c, 7, 5}, {3, c}, {c}, {c}}, &normalised<false>},
          {name + " without weights", {{3, c, 7, 5}}, &bare}};
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
  }
  for (const auto &k : gpu_text()[p].kernels)
    TORCH_CHECK(l.tried().count(k.name), "nothing has tried ", k.name);
}

}  // namespace gt
