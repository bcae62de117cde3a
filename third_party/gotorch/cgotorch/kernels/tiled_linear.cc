// Linear layers in bf16, where the processor has tiles of it, as one operation with a
// gradient: libtorch's products there use a fourth of what the tiles can do, and of
// gradients of weights a seventh. Parameters may be float32, as autocast's are: they are
// rounded where they are packed, and their gradients are float32.
#include "tiled_linear.h"

#include <ATen/autocast_mode.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/silu.h>
#include <torch/csrc/autograd/custom_function.h>

#include "dispatch.h"
#include "kernels.h"
#include "parallel.h"

namespace gt {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

const TiledLinearLoops &loops = tiled_linear_amx;

// x: [...,in], contiguous, w: [out,in], contiguous.
TiledLinear shape(const at::Tensor &x, const at::Tensor &w) {
  TiledLinear o = {};
  o.in = w.size(1), o.out = w.size(0), o.rows = x.numel() / o.in;
  o.half = w.scalar_type() == at::kBFloat16;
  o.x = x.const_data_ptr(), o.w = w.const_data_ptr();
  o.threads = at::get_num_threads();
  return o;
}

// What a pass works in, as one block of memory: w as it is packed, the sums of each
// thread if it has any, and what each thread packs.
struct Work {
  int64_t each;
  at::Tensor all;
  void *packed;
  float *sums;
  char *scratch;

  Work(const TiledLinear &o, bool summed) : each(whole(o.scratch())) {
    int64_t weights = whole(2 * o.in * o.out),
            of_sums = summed ? whole(4 * o.threads * o.sum_size()) : 0;
    all = at::empty({weights + of_sums + o.threads * each}, at::kByte);
    char *p = static_cast<char *>(all.mutable_data_ptr());
    packed = p, sums = reinterpret_cast<float *>(p + weights), scratch = p + weights + of_sums;
  }
  static int64_t whole(int64_t bytes) { return (bytes + 4095) / 4096 * 4096; }
  void *of(int64_t thread) const { return scratch + thread * each; }
};

// Elements of w that are worth another thread.
constexpr int64_t worth = 1 << 15;

// y, and z if kept.
std::pair<at::Tensor, at::Tensor> forward_of(const at::Tensor &x, const at::Tensor &w,
                                             const at::Tensor &bias, Activation act, bool kept) {
  at::Tensor rows = x.contiguous(), weight = w.contiguous(), b = flat(bias);
  auto sizes = x.sizes().vec();
  sizes.back() = w.size(0);
  at::Tensor y = at::empty(sizes, x.options()), z;
  TiledLinear o = shape(rows, weight);
  o.act = act;
  if (kept) z = at::empty_like(y), o.z = z.mutable_data_ptr();
  Work work(o, false);
  o.packed = work.packed, o.y = y.mutable_data_ptr(), o.bias = numbers(b);
  in_parallel(o.out / 16, worth / (16 * o.in),
              [&](int64_t begin, int64_t end, int64_t) { loops.pack_forward(o, begin, end); });
  in_parallel(o.blocks(), 2, [&](int64_t begin, int64_t end, int64_t thread) {
    loops.forward(o, begin, end, work.of(thread));
  });
  return {y, z};
}

at::Tensor inputs_of(TiledLinear o, const at::Tensor &dy, const Work &work) {
  auto sizes = dy.sizes().vec();
  sizes.back() = o.in;
  at::Tensor dx = at::empty(sizes, dy.options());
  o.packed = work.packed, o.dx = dx.mutable_data_ptr();
  in_parallel(o.in / 32, worth / (32 * o.out),
              [&](int64_t begin, int64_t end, int64_t) { loops.pack_backward(o, begin, end); });
  in_parallel(o.blocks(), 2, [&](int64_t begin, int64_t end, int64_t thread) {
    loops.inputs(o, begin, end, work.of(thread));
  });
  return dx;
}

// The sums of each thread, and then theirs, in the threads' order.
void weights_of(TiledLinear o, at::Tensor dw, at::Tensor db, const Work &work) {
  o.dw = dw.mutable_data_ptr();
  if (db.defined()) o.db = db.mutable_data_ptr<float>();
  float *all = work.sums;
  std::vector<uint8_t> used(o.threads);
  in_parallel(o.blocks(), 8, [&](int64_t begin, int64_t end, int64_t thread) {
    used[thread] = 1;
    loops.weights(o, begin, end, work.of(thread), all + thread * o.sum_size());
  });
  o.sums = all, o.used = used.data();
  in_parallel(o.out / 16, worth / (16 * o.in),
              [&](int64_t begin, int64_t end, int64_t) { loops.total(o, begin, end); });
}

struct Function : torch::autograd::Function<Function> {
  static Variable forward(AutogradContext *ctx, const Variable &x, const Variable &w,
                          const std::optional<Variable> &bias, int64_t kind, bool learns) {
    auto act = static_cast<Activation>(kind);
    auto [y, z] = forward_of(x, w, or_none(bias), act, act != Activation::none && learns);
    ctx->save_for_backward({x, w, or_none(bias), z});
    ctx->saved_data["act"] = kind;
    return y;
  }

  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &w = saved[1], &b = saved[2], &z = saved[3];
    auto act = static_cast<Activation>(ctx->saved_data["act"].toInt());
    bool of[3] = {ctx->needs_input_grad(0), ctx->needs_input_grad(1),
                  b.defined() && ctx->needs_input_grad(2)};
    variable_list all(5);
    // A gradient that is to have one itself (create_graph) is libtorch's.
    if (at::GradMode::is_enabled()) {
      variable_list inputs;
      for (int i = 0; i < 3; i++)
        if (of[i]) inputs.push_back(saved[i]);
      at::ScalarType type = x.scalar_type();
      at::Tensor y = at::linear(x, w.to(type), optional(b.defined() ? b.to(type) : b));
      if (act != Activation::none) y = act == Activation::silu ? at::silu(y) : at::gelu(y, "tanh");
      auto found = torch::autograd::grad({y}, inputs, {grads[0]}, /*retain_graph=*/true,
                                         /*create_graph=*/true);
      for (int i = 0, n = 0; i < 3; i++)
        if (of[i]) all[i] = found[n++];
      return all;
    }
    at::Tensor rows = x.contiguous(), weight = w.contiguous(), dy = grads[0].contiguous();
    TiledLinear o = shape(rows, weight);
    o.act = act, o.dy = dy.const_data_ptr();
    at::Tensor dz = o.activates() ? at::empty_like(dy) : at::Tensor();
    if (o.activates()) o.z = z.mutable_data_ptr(), o.dz = dz.mutable_data_ptr();
    Work work(o, of[1] || of[2]);
    if (of[0]) {
      all[0] = inputs_of(o, dy, work);
    } else if (o.activates()) {
      in_parallel(o.blocks(), 8,
                  [&](int64_t begin, int64_t end, int64_t) { loops.slopes(o, begin, end); });
    }
    if (!of[1] && !of[2]) return all;
    at::Tensor dw = at::empty_like(weight), db;
    if (of[2]) db = at::empty({o.out}, at::kFloat);
    weights_of(o, dw, db, work);
    if (of[1]) all[1] = dw;
    if (of[2]) all[2] = db.to(b.scalar_type());
    return all;
  }
};

bool known(const at::Tensor &t) {
  return t.is_cpu() && t.layout() == at::kStrided &&
         (t.scalar_type() == at::kFloat || t.scalar_type() == at::kBFloat16);
}

}  // namespace

std::optional<at::Tensor> tiled_linear(const at::Tensor &x, const at::Tensor &w,
                                       const at::Tensor &b, Activation act) {
  if (!tiles() || !x.dim() || w.dim() != 2 || x.size(-1) != w.size(1) || !x.numel()) return {};
  if (w.size(0) == 0 || w.size(0) % 32 || w.size(1) % 32) return {};
  if (!known(x) || !known(w)) return {};
  if (b.defined() && !(known(b) && b.sizes() == at::IntArrayRef{w.size(0)})) return {};
  if (at::autocast::is_autocast_enabled(at::kCPU)) {
    if (at::autocast::get_autocast_dtype(at::kCPU) != at::kBFloat16) return {};
  } else {
    for (const at::Tensor &t : {x, w, b})
      if (t.defined() && t.scalar_type() != at::kBFloat16) return {};
  }
  bool learns = false;
  for (const at::Tensor &t : {x, w, b}) learns |= t.defined() && t.requires_grad();
  return Function::apply(x.to(at::kBFloat16), w, optional(b), static_cast<int64_t>(act),
                         learns && at::GradMode::is_enabled());
}

}  // namespace gt
