// Convolutions whose gradients at weights are sums of our own.
#include "conv_weights.h"

#include <ATen/autocast_mode.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/convolution_backward.h>
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

int64_t filled_up(int64_t n) {
  return (n + ConvWeights::unit - 1) / ConvWeights::unit * ConvWeights::unit;
}

// Channels of a block: 128 at most, and blocks alike.
int64_t block(int64_t channels) {
  int64_t blocks = (filled_up(channels) + 127) / 128;
  return filled_up((channels + blocks - 1) / blocks);
}

void set_rows(ConvWeights *o, int64_t rows) {
  o->rows = rows, o->kept = 1;
  for (int64_t u = 0, all = o->all_rows(); u < all; u += rows)
    o->kept = std::max(o->kept, o->end(std::min(all, u + rows) - 1) - o->first(u));
}

int64_t bytes(const ConvWeights &o) {
  return 2 * (o.packed_dy() + o.packed_x()) + 4 * o.block_sums();
}

// Cuts the work for so many threads. The second-level cache of processors with AMX is
// of 2 MB: blocks fill it only where a single row of a chunk does.
void plan(ConvWeights *o, int64_t threads) {
  constexpr int64_t most = 1700000, enough = 1200000;
  o->block_in = block(o->in), o->block_out = block(o->out);
  set_rows(o, 1);
  while (bytes(*o) > most && std::max(o->block_in, o->block_out) > ConvWeights::unit) {
    int64_t &greater = o->block_in >= o->block_out ? o->block_in : o->block_out;
    greater = filled_up(greater / 2);
  }
  // Parts so that the thread that has most to do has little; each costs sums.
  int64_t all = o->all_rows();
  double least = 0;
  for (int64_t parts = 1; parts <= std::min(threads, all); parts++) {
    int64_t items = (o->blocks() * parts + threads - 1) / threads;
    double cost = static_cast<double>(items) / static_cast<double>(parts) *
                  (1 + 0.01 * static_cast<double>(parts));
    if (parts == 1 || cost < least) least = cost, o->parts = parts;
  }
  int64_t rows = 1, each = (all + o->parts - 1) / o->parts;
  while (rows < std::min(each, ConvWeights::most_rows)) {
    set_rows(o, rows + 1);
    if (bytes(*o) > enough) break;
    rows++;
  }
  int64_t chunks = (each + rows - 1) / rows;
  set_rows(o, (each + chunks - 1) / chunks);
}

bool channels_last(const at::Tensor &t) { return t.is_contiguous(at::MemoryFormat::ChannelsLast); }

// The gradients at w and, if wanted, at the bias. x: [B,I,H,W], dy: [B,O,H',W'],
// channels side by side, bf16.
std::pair<at::Tensor, at::Tensor> weights(const at::Tensor &x, const at::Tensor &w,
                                          const at::Tensor &dy, int64_t stride, int64_t padding,
                                          bool bias) {
  RECORD_FUNCTION("gotorch::conv_weights", std::vector<c10::IValue>());
  ConvWeights o = {};
  o.samples = x.size(0), o.in = x.size(1), o.out = dy.size(1);
  o.height = x.size(2), o.width = x.size(3), o.out_height = dy.size(2), o.out_width = dy.size(3);
  o.taps_down = w.size(2), o.taps_across = w.size(3), o.stride = stride, o.padding = padding;
  o.x = x.const_data_ptr(), o.dy = dy.const_data_ptr();
  int64_t threads = at::get_num_threads();
  plan(&o, threads);
  at::TensorOptions floats = x.options().dtype(at::kFloat);
  // As w lies in memory: in training pixel by pixel.
  o.last = !w.is_contiguous() && channels_last(w);
  at::Tensor dw =
      at::empty(w.sizes(), w.options().memory_format(o.last ? at::MemoryFormat::ChannelsLast
                                                            : at::MemoryFormat::Contiguous));
  at::Tensor sums = at::empty({o.parts, o.blocks() * o.block_sums()}, floats), of_bias;
  if (bias) of_bias = at::empty({o.parts, o.all_out()}, floats);
  o.sums = sums.mutable_data_ptr<float>(), o.dw = dw.mutable_data_ptr();
  o.bias = bias ? of_bias.mutable_data_ptr<float>() : nullptr;
  int64_t room = 2 * (o.packed_dy() + o.packed_x());
  at::Tensor scratch = at::empty({threads * room}, x.options().dtype(at::kByte));
  char *p = static_cast<char *>(scratch.mutable_data_ptr());
  in_parallel(o.blocks() * o.parts, 1, [&](int64_t begin, int64_t end, int64_t thread) {
    conv_weights_amx.multiply(o, begin, end, p + thread * room);
  });
  in_parallel(o.out, (1 << 14) / (o.in * o.taps()) + 1,
              [&](int64_t begin, int64_t end, int64_t) { conv_weights_amx.finish(o, begin, end); });
  if (bias) of_bias = total(of_bias).narrow(0, 0, o.out).to(w.scalar_type());
  if (dw.strides() != w.strides()) dw = at::empty_like(w).copy_(dw);
  return {dw, of_bias};
}

// at::conv2d; its gradient at x is libtorch's, too.
struct Function : torch::autograd::Function<Function> {
  static Variable forward(AutogradContext *ctx, const Variable &x, const Variable &w,
                          const std::optional<Variable> &bias, int64_t stride, int64_t padding) {
    ctx->save_for_backward({x, w});
    ctx->saved_data["stride"] = stride;
    ctx->saved_data["padding"] = padding;
    ctx->saved_data["bias"] = bias.has_value();
    return at::conv2d(x, w, bias, stride, padding);
  }

  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    auto saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &w = saved[1];
    int64_t stride = ctx->saved_data["stride"].toInt(),
            padding = ctx->saved_data["padding"].toInt();
    auto theirs = [&](const at::Tensor &dy, std::array<bool, 3> mask) {
      return at::convolution_backward(dy, x, w, at::IntArrayRef{w.size(0)}, {stride, stride},
                                      {padding, padding}, {1, 1}, false, {0, 0}, 1, mask);
    };
    bool bias = ctx->saved_data["bias"].toBool();
    std::array<bool, 3> mask = {ctx->needs_input_grad(0), ctx->needs_input_grad(1),
                                bias && ctx->needs_input_grad(2)};
    // A gradient that is to have one itself (create_graph) is libtorch's.
    if (at::GradMode::is_enabled()) {
      auto [dx, dw, db] = theirs(grads[0], mask);
      return {dx, dw, db, at::Tensor(), at::Tensor()};
    }
    at::Tensor dy = grads[0], dx, dw, db;
    if (!channels_last(dy)) dy = dy.contiguous(at::MemoryFormat::ChannelsLast);
    if (mask[1] || mask[2]) std::tie(dw, db) = weights(x, w, dy, stride, padding, mask[2]);
    if (mask[0]) dx = std::get<0>(theirs(dy, {true, false, false}));
    return {dx, dw, db, at::Tensor(), at::Tensor()};
  }
};

// Whether t is bf16 on the processor, or becomes it by autocast.
bool half(const at::Tensor &t) {
  if (!t.is_cpu() || t.layout() != at::kStrided) return false;
  if (!at::autocast::is_autocast_enabled(at::kCPU)) return t.scalar_type() == at::kBFloat16;
  return computed(t) && at::autocast::get_autocast_dtype(at::kCPU) == at::kBFloat16;
}

// Where sums over samples fill tiles: with few channels or samples oneDNN is as fast.
bool filled(const at::Tensor &x) {
  int64_t n = x.size(0), group = ConvWeights::group;
  return x.size(1) >= 16 && (n + group - 1) / group * group <= 2 * n;
}

}  // namespace

std::optional<at::Tensor> conv2d_own_gradient(const at::Tensor &x, const at::Tensor &w,
                                              const std::optional<at::Tensor> &b,
                                              at::IntArrayRef stride, at::IntArrayRef padding,
                                              at::IntArrayRef dilation, int64_t groups) {
  auto same = [](at::IntArrayRef list) { return list.size() == 2 && list[0] == list[1]; };
  auto three = [](int64_t v) { return v == 3; };
  if (!at::GradMode::is_enabled() || !w.requires_grad() || !tiles()) return {};
  if (x.dim() != 4 || w.dim() != 4 || x.size(1) != w.size(1) || groups != 1) return {};
  if (!std::all_of(w.sizes().begin() + 2, w.sizes().end(), three)) return {};
  if (!same(stride) || !same(padding) || !same(dilation) || dilation[0] != 1) return {};
  if (stride[0] < 1 || padding[0] < 0 || padding[0] > 2) return {};
  if (std::min(x.size(2), x.size(3)) + 2 * padding[0] < 3) return {};
  if (!half(x) || !half(w) || (b && !half(*b)) || !x.numel() || !w.numel()) return {};
  if (b && b->sizes() != w.sizes().slice(0, 1)) return {};
  if (!channels_last(x) || !filled(x)) return {};
  // As autocast would: each weight once.
  auto cast = [](const at::Tensor &t) {
    return at::autocast::is_autocast_enabled(at::kCPU)
               ? at::autocast::cached_cast(at::kBFloat16, t, at::kCPU)
               : t;
  };
  return Function::apply(cast(x), cast(w), b ? std::optional(cast(*b)) : b, stride[0], padding[0]);
}

}  // namespace gt
