// Convolutions by Winograd's algorithm as an operation with a gradient.
#include "winograd.h"

#include <ATen/autocast_mode.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include "dispatch.h"
#include "kernels.h"
#include "parallel.h"

namespace gt {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

const WinogradLoops &loops() {
  static const WinogradLoops &chosen =
      for_processor(winograd_base, winograd_avx2, winograd_avx512, winograd_avx512);
  return chosen;
}

bool all(at::IntArrayRef list, int64_t value) {
  return std::all_of(list.begin(), list.end(), [&](int64_t v) { return v == value; });
}

// x with channels side by side.
at::Tensor laid(const at::Tensor &x) {
  return channels_beside(x) ? x : x.contiguous(at::MemoryFormat::ChannelsLast);
}

Winograd shape(const at::Tensor &x, int64_t out) {
  Winograd o = {};
  o.samples = x.size(0), o.in = x.size(1), o.rows = x.size(2), o.columns = x.size(3), o.out = out;
  o.x = x.const_data_ptr<float>();
  return o;
}

// By w: [O,I,3,3].
void read(Winograd &o, const at::Tensor &w) {
  o.w = w.const_data_ptr<float>();
  o.w_out = w.stride(0), o.w_in = w.stride(1), o.w_row = w.stride(2), o.w_column = w.stride(3);
}

// By w with inputs and outputs exchanged, and turned round.
void read_back(Winograd &o, const at::Tensor &w) {
  read(o, w);
  o.w += 2 * o.w_row + 2 * o.w_column;
  std::swap(o.w_in, o.w_out);
  o.w_row = -o.w_row, o.w_column = -o.w_column;
}

// For inputs begin to end of o.
template <class F>
void share(const Winograd &o, const F &f) {
  in_parallel(o.in, (1 << 11) / o.out, [&](int64_t begin, int64_t end, int64_t) { f(begin, end); });
}

// Memory for n by m numbers at each place.
at::Tensor of_places(int64_t n, int64_t m, const at::TensorOptions &options) {
  return at::empty_strided({Winograd::places, n, m}, {Winograd::apart(n * m), m, 1}, options);
}

at::Tensor transformed(Winograd o, const at::TensorOptions &options) {
  at::Tensor u = of_places(o.in, o.out, options);
  o.u = u.mutable_data_ptr<float>();
  share(o, [&](int64_t begin, int64_t end) { loops().transform(o, begin, end); });
  return u;
}

// How forward's work is divided. No element of y depends on it.
void divide(Winograd &o) {
  constexpr int64_t least = 12;  // tiles, of a block that is one for the sake of a thread
  int64_t threads = at::get_num_threads(), n = (o.tiles() + o.most() - 1) / o.most();
  if (n < 4 * threads)
    n = std::min((n + threads - 1) / threads * threads, (o.tiles() + least - 1) / least);
  o.blocks = n;
  o.groups = std::min((threads + n - 1) / n, o.out / Winograd::unit);
}

// o's y, of weights that are transformed.
at::Tensor convolved(Winograd o, const at::Tensor &u, const at::Tensor &bias) {
  at::Tensor y = at::empty({o.samples, o.rows, o.columns, o.out}, u.options()).movedim(-1, 1);
  o.u = const_cast<float *>(u.const_data_ptr<float>());
  o.bias = numbers(bias), o.y = y.mutable_data_ptr<float>();
  divide(o);
  int64_t floats = loops().scratch(o);
  at::Tensor scratch = at::empty({at::get_num_threads(), floats}, u.options());
  float *memory = scratch.mutable_data_ptr<float>();
  in_parallel(o.blocks * o.groups, 1, [&](int64_t begin, int64_t end, int64_t thread) {
    loops().forward(o, begin, end, memory + thread * floats);
  });
  return y;
}

// What o's dw is made of, and the sums of dy over each few tiles.
std::pair<at::Tensor, at::Tensor> weights_gradient(Winograd o, const at::TensorOptions &options) {
  const int64_t chunk = o.chunk(), units = o.in / Winograd::unit;
  at::Tensor u = of_places(o.in, o.out, options);
  at::Tensor v = of_places(chunk, o.in, options);
  at::Tensor m = of_places(chunk, o.out, options);
  at::Tensor db = at::empty({o.fews(), o.out}, options);
  at::Tensor zeros = at::zeros({std::max(o.in, o.out)}, options);
  o.u = u.mutable_data_ptr<float>(), o.db = db.mutable_data_ptr<float>();
  o.v = v.mutable_data_ptr<float>(), o.m = m.mutable_data_ptr<float>();
  const float *nothing = zeros.const_data_ptr<float>();
  // Few threads share the places evenly.
  o.parts = at::get_num_threads() <= 4 ? 1 : units;
  for (int64_t first = 0; first < o.tiles(); first += chunk) {
    int64_t n = std::min(chunk, o.tiles() - first);
    in_parallel((n + o.few - 1) / o.few, 1, [&](int64_t begin, int64_t end, int64_t) {
      loops().spread(o, first, n, begin, end, nothing);
    });
    in_parallel(Winograd::places * o.parts, 1,
                [&](int64_t begin, int64_t end, int64_t) { loops().add(o, first, n, begin, end); });
  }
  return {u, db};
}

struct Function : torch::autograd::Function<Function> {
  static Variable forward(AutogradContext *ctx, const Variable &x, const Variable &w,
                          const std::optional<Variable> &maybe_bias) {
    at::Tensor bias = or_none(maybe_bias), b = flat(bias);
    Winograd o = shape(x, w.size(0));
    read(o, w);
    ctx->save_for_backward({x, w, bias});
    return convolved(o, transformed(o, w.options()), b);
  }

  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &w = saved[1], &bias = saved[2];
    bool of_bias = bias.defined() && ctx->needs_input_grad(2);
    variable_list out(3);
    // A gradient that is to have one itself (create_graph) is libtorch's.
    if (at::GradMode::is_enabled()) {
      variable_list inputs;
      std::vector<int> at;
      for (auto [place, t] : {std::pair(0, x), {1, w}, {2, bias}})
        if (t.defined() && t.requires_grad()) inputs.push_back(t), at.push_back(place);
      auto found = torch::autograd::grad({at::conv2d(x, w, optional(bias), 1, 1)}, inputs,
                                         {grads[0]}, /*retain_graph=*/true, /*create_graph=*/true);
      for (size_t i = 0; i < at.size(); i++) out[at[i]] = found[i];
      return out;
    }
    at::Tensor dy = laid(grads[0]);
    if (ctx->needs_input_grad(0)) {
      Winograd o = shape(dy, w.size(1));
      read_back(o, w);
      out[0] = convolved(o, transformed(o, w.options()), {});
    }
    if (ctx->needs_input_grad(1) || of_bias) {
      Winograd o = shape(x, w.size(0));
      o.dy = dy.const_data_ptr<float>();
      auto [u, db] = weights_gradient(o, w.options());
      if (ctx->needs_input_grad(1)) {
        at::Tensor dw = at::empty(w.sizes(), w.options());
        read(o, dw);
        o.u = u.mutable_data_ptr<float>(), o.dw = dw.mutable_data_ptr<float>();
        share(o, [&](int64_t begin, int64_t end) { loops().restore(o, begin, end); });
        out[1] = dw;
      }
      if (of_bias) out[2] = total(db);
    }
    return out;
  }
};

bool known(const at::Tensor &t) { return t.is_cpu() && t.scalar_type() == at::kFloat; }

}  // namespace

bool winograd_weights(const at::Tensor &w, at::IntArrayRef stride, at::IntArrayRef padding,
                      at::IntArrayRef dilation, int64_t groups) {
  return known(w) && w.dim() == 4 && w.size(2) == 3 && w.size(3) == 3 && w.size(0) > 0 &&
         w.size(1) > 0 && w.size(0) % 32 == 0 && w.size(1) % 32 == 0 && all(stride, 1) &&
         all(padding, 1) && all(dilation, 1) && groups == 1;
}

std::optional<at::Tensor> winograd(const at::Tensor &x, const at::Tensor &w,
                                   const std::optional<at::Tensor> &bias) {
  // A tile takes 36 products where a pixel takes 9 otherwise, also if most of it lies outside.
  // Transforming the weights takes as long as so many tiles.
  constexpr int64_t weights = 8;
  at::Tensor b = or_none(bias);
  if (!known(x) || x.dim() != 4 || x.size(1) != w.size(1) || !channels_beside(x)) return {};
  if (x.numel() == 0) return {};
  Winograd o = shape(x, w.size(0));
  if (Winograd::places * (o.tiles() + weights) > 9 * o.samples * o.rows * o.columns) return {};
  if (b.defined() && !(known(b) && b.sizes() == at::IntArrayRef{w.size(0)})) return {};
  if (at::autocast::is_autocast_enabled(at::kCPU)) return {};
  RECORD_FUNCTION("gotorch::winograd", std::vector<c10::IValue>());
  return Function::apply(x, w, bias);
}

at::Tensor pack_winograd(const at::Tensor &w) {
  Winograd o = {};
  o.in = w.size(1), o.out = w.size(0);
  read(o, w);
  return transformed(o, w.options());
}

at::Tensor packed_winograd(const at::Tensor &x, const at::Tensor &u,
                           const std::optional<at::Tensor> &bias) {
  RECORD_FUNCTION("gotorch::winograd", std::vector<c10::IValue>());
  at::Tensor b = or_none(bias);
  TORCH_CHECK(known(x) && x.dim() == 4 && x.size(1) == u.size(1),
              "these packed weights are for float32 [samples,", u.size(1), ",rows,columns], not ",
              x.scalar_type(), " ", x.sizes());
  TORCH_CHECK(!b.defined() || (known(b) && b.sizes() == at::IntArrayRef{u.size(2)}),
              "the bias must be float32 of shape [", u.size(2), "]");
  if (x.numel() == 0) return at::empty({x.size(0), u.size(2), x.size(2), x.size(3)}, x.options());
  at::Tensor rows = laid(x), flat_bias = flat(b);
  return convolved(shape(rows, u.size(2)), u, flat_bias);
}

}  // namespace gt
