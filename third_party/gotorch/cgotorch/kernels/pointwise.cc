// Convolutions by a kernel of one element, as the products that they are, and whose
// convolutions the others are.
#include <ATen/ops/conv1d.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/linear.h>

#include "dispatch.h"
#include "kernels.h"
#include "rounded.h"

namespace gt {
namespace {

bool all(at::IntArrayRef list, int64_t value) {
  return std::all_of(list.begin(), list.end(), [&](int64_t v) { return v == value; });
}

// Where channels lie side by side. There oneDNN's convolutions of one dimension are
// given copies in another order, and gradients of weights in bf16 run at a tenth of the
// speed of products. On a GPU a product adds the bias, too, which is a pass of its own after
// a convolution.
bool product(const at::Tensor &x, const at::Tensor &w, at::IntArrayRef stride,
             at::IntArrayRef padding, int64_t groups) {
  return (x.scalar_type() == at::kBFloat16 || x.scalar_type() == at::kFloat) && x.dim() > 2 &&
         w.dim() == x.dim() && x.size(1) == w.size(1) && groups == 1 &&
         all(w.sizes().slice(2), 1) && all(stride, 1) && all(padding, 0) && x.numel() > 0 &&
         channels_beside(x);
}

// x: [B,I,...], w: [O,I,1...], b: [O] or none -> [B,O,...].
at::Tensor multiplied(const at::Tensor &x, const at::Tensor &w,
                      const std::optional<at::Tensor> &b) {
  at::Tensor rows = x.movedim(1, -1);  // [B,...,I]
  std::vector<int64_t> shape = rows.sizes().vec();
  shape.back() = w.size(0);
  rows = rows.view({-1, x.size(1)});
  auto made = tiled_linear(rows, w.flatten(1), b ? *b : at::Tensor());
  at::Tensor y = made ? *made : at::linear(rows, rounded(w).flatten(1), rounded(b));
  return y.view(shape).movedim(-1, 1);
}

}  // namespace

at::Tensor conv1d(const at::Tensor &x, const at::Tensor &w, const std::optional<at::Tensor> &b,
                  at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation,
                  int64_t groups) {
  if (product(x, w, stride, padding, groups)) return multiplied(x, w, b);
  return at::conv1d(x, rounded(w), rounded(b), stride, padding, dilation, groups);
}

at::Tensor conv2d(const at::Tensor &x, const at::Tensor &w, const std::optional<at::Tensor> &b,
                  at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation,
                  int64_t groups) {
  if (product(x, w, stride, padding, groups)) return multiplied(x, w, b);
  const at::Tensor weight = rounded(w);
  const auto bias = rounded(b);
  if (auto y = conv2d_own_gradient(x, weight, bias, stride, padding, dilation, groups)) return *y;
  if (winograd_weights(w, stride, padding, dilation, groups))
    if (auto y = winograd(x, w, b)) return *y;
  return at::conv2d(x, weight, bias, stride, padding, dilation, groups);
}

}  // namespace gt
