// Products by weights that were laid out once. libtorch has them for its
// compiler, as operations that only its dispatcher knows.
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/linear.h>

#include "dispatch.h"
#include "kernels.h"

namespace gt {
namespace {

using Stack = std::vector<c10::IValue>;

std::optional<c10::OperatorHandle> find(const char *name) {
  return c10::Dispatcher::singleton().findSchema({name, ""});
}

at::Tensor call(const c10::OperatorHandle &op, Stack stack) {
  op.callBoxed(stack);
  return stack[0].toTensor();
}

// oneDNN has float32 everywhere, and bf16 where the processor has it and it may be used.
bool can_pack(const at::Tensor &w) {
  bool half = w.scalar_type() == at::kBFloat16;
  if (!w.device().is_cpu() || !(half || w.scalar_type() == at::kFloat)) return false;
  return at::globalContext().userEnabledMkldnn() &&
         (!half || (Allowed::here().bf16 && __builtin_cpu_supports("avx512bf16")));
}

const c10::List<std::optional<at::Scalar>> no_scalars;
const std::optional<std::string> no_algorithm, with_tanh = "tanh";

}  // namespace

at::Tensor pack_linear(const at::Tensor &w) {
  static const auto op = find("mkldnn::_reorder_linear_weight");
  if (!op || !can_pack(w)) return w;
  return call(*op, {w.contiguous(), std::optional<int64_t>()});
}

at::Tensor packed_linear(const at::Tensor &x, const at::Tensor &w,
                         const std::optional<at::Tensor> &b, Activation act) {
  static const auto op = find("mkldnn::_linear_pointwise");
  if (!w.is_mkldnn() || !op) {
    if (act == Activation::none) return at::linear(x, w, b);
    return act == Activation::silu ? linear_silu(x, w, b) : linear_gelu(x, w, b);
  }
  static const char *const names[] = {"none", "swish", "gelu"};
  return call(*op, {x, w, b, names[static_cast<int>(act)], no_scalars,
                    act == Activation::gelu ? with_tanh : no_algorithm});
}

at::Tensor pack_conv2d(const at::Tensor &w, at::IntArrayRef stride, at::IntArrayRef padding,
                       at::IntArrayRef dilation, int64_t groups) {
  if (winograd_weights(w, stride, padding, dilation, groups)) return pack_winograd(w);
  static const auto op = find("mkldnn::_reorder_convolution_weight");
  if (!op || !can_pack(w)) return w.contiguous(at::MemoryFormat::ChannelsLast);
  return call(*op, {w.contiguous(at::MemoryFormat::ChannelsLast), padding, stride, dilation, groups,
                    std::optional<std::vector<int64_t>>()});
}

at::Tensor packed_conv2d(const at::Tensor &x, const at::Tensor &w,
                         const std::optional<at::Tensor> &b, at::IntArrayRef stride,
                         at::IntArrayRef padding, at::IntArrayRef dilation, int64_t groups) {
  if (w.dim() == 3) return packed_winograd(x, w, b);
  static const auto op = find("mkldnn::_convolution_pointwise");
  if (!w.is_mkldnn() || !op) return at::conv2d(x, w, b, stride, padding, dilation, groups);
  return call(*op, {x, w, b, padding, stride, dilation, groups, "none", no_scalars, no_algorithm});
}

}  // namespace gt
