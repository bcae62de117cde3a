// Stable targets as one operation.
#include "stable_target.h"

#include <ATen/record_function.h>

#include "dispatch.h"
#include "kernels.h"
#include "parallel.h"
#include "stable_target_gpu.h"

namespace gt {

at::Tensor stable_target(const at::Tensor &x0, const at::Tensor &x1, const at::Tensor &ratio) {
  static const StableTargetLoop loop = for_processor(
      stable_target_base, stable_target_avx2, stable_target_avx512, stable_target_avx512bf16);
  RECORD_FUNCTION("gotorch::stable_target", std::vector<c10::IValue>());
  at::NoGradGuard no_grad;
  TORCH_CHECK(
      x1.dim() == 2 && x0.sizes() == x1.sizes() && ratio.sizes() == x1.sizes().slice(0, 1),
      "stable targets are of noise and data of one shape [points,dims] and [points] ratios, "
      "not ",
      x0.sizes(), ", ", x1.sizes(), " and ", ratio.sizes());
  const bool there = stable_target_on_gpu(x1.device(), x1.size(0), x1.size(1));
  for (const at::Tensor &t : {x0, x1, ratio})
    TORCH_CHECK((there ? t.device() == x1.device() : t.is_cpu()) && t.scalar_type() == at::kFloat,
                "stable targets are computed of float32 numbers on the CPU, or on a GPU that runs "
                "kernels of the binding's own");
  at::Tensor noise = x0.contiguous(), r = ratio.contiguous();
  if (there) return stable_target_there(noise, x1.contiguous(), r);
  at::Tensor rows = x1.t().contiguous();
  at::Tensor away = at::empty_like(noise);
  StableTarget o = {x1.size(0),
                    x1.size(1),
                    noise.const_data_ptr<float>(),
                    rows.const_data_ptr<float>(),
                    r.const_data_ptr<float>(),
                    away.mutable_data_ptr<float>()};
  int64_t work = 8 * (o.points * (o.dims + 1) + 1);  // of a point
  in_parallel(o.points, (1 << 17) / work,
              [&](int64_t begin, int64_t end, int64_t) { loop(o, begin, end); });
  return away;
}

}  // namespace gt
