// Products of few columns, without gradients.
#include "thin.h"

#include <ATen/record_function.h>

#include "dispatch.h"
#include "kernels.h"
#include "parallel.h"

namespace gt {
namespace {

const ThinLoops &loops() {
  static const ThinLoops &chosen =
      for_processor(thin_base, thin_avx2, thin_avx512, thin_avx512bf16);
  return chosen;
}

at::Tensor run(ThinLoop loop, Thin o, const at::Tensor &x, const at::Tensor &w, const at::Tensor &b,
               int64_t columns, at::ScalarType to) {
  for (const at::Tensor &t : {x, w, b})
    TORCH_CHECK(t.device().is_cpu(), "operands must be on the CPU");
  for (const at::Tensor &t : {w, b})
    TORCH_CHECK(t.scalar_type() == at::kFloat, "weight and bias must be float32");
  TORCH_CHECK(b.sizes() == at::IntArrayRef{columns}, "the bias must be of shape [", columns,
              "], not ", b.sizes());
  auto sizes = x.sizes().vec();
  sizes.back() = columns;
  at::Tensor y = at::empty(sizes, x.options().dtype(to));
  at::Tensor rows = x.contiguous(), weight = w.contiguous(), bias = b.contiguous();
  o.few = w.size(0), o.many = w.size(1), o.rows = x.numel() / x.size(-1);
  o.x = rows.const_data_ptr(), o.y = y.mutable_data_ptr();
  o.w = weight.const_data_ptr<float>(), o.bias = bias.const_data_ptr<float>();
  in_parallel(o.rows, (1 << 14) / o.many,
              [&](int64_t begin, int64_t end, int64_t) { loop(o, begin, end); });
  return y;
}

bool known(at::ScalarType t) { return t == at::kFloat || t == at::kBFloat16; }

}  // namespace

at::Tensor widen(const at::Tensor &x, const at::Tensor &w, const at::Tensor &b, at::ScalarType to,
                 bool act) {
  RECORD_FUNCTION("gotorch::widen", std::vector<c10::IValue>());
  TORCH_CHECK(x.dim() > 0 && w.dim() == 2 && x.size(-1) == w.size(0) && x.size(-1) > 0,
              "[...,F] [F,M], not ", x.sizes(), " ", w.sizes());
  TORCH_CHECK(x.scalar_type() == at::kFloat && known(to), "from float32 to that or bf16");
  Thin o = {};
  o.half = to == at::kBFloat16, o.act = act;
  return run(loops().widen, o, x, w, b, w.size(1), to);
}

at::Tensor narrow(const at::Tensor &x, const at::Tensor &w, const at::Tensor &b) {
  RECORD_FUNCTION("gotorch::narrow", std::vector<c10::IValue>());
  TORCH_CHECK(x.dim() > 0 && w.dim() == 2 && x.size(-1) == w.size(1) && x.size(-1) > 0,
              "[...,M] [F,M], not ", x.sizes(), " ", w.sizes());
  TORCH_CHECK(known(x.scalar_type()), "from float32 or bf16");
  Thin o = {};
  o.half = x.scalar_type() == at::kBFloat16;
  return run(loops().narrow, o, x, w, b, w.size(0), at::kFloat);
}

}  // namespace gt
