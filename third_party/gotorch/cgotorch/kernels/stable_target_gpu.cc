#include "stable_target_gpu.h"

#include "gpu/operands.h"
#include "launcher.h"

namespace gt {

bool stable_target_on_gpu(c10::Device d, int64_t points, int64_t dims) {
  constexpr int64_t most = INT32_MAX - gpu::threads;  // so that the kernel may count in 32 bits
  return !d.is_cpu() && points <= most && dims <= most && launcher() &&
         launcher()->ready(d, GPUProgram::stable_target);
}

at::Tensor stable_target_there(const at::Tensor &x0, const at::Tensor &x1,
                               const at::Tensor &ratio) {
  at::Tensor away = at::empty_like(x1);
  if (away.numel() == 0) return away;
  gpu::StableTarget o = {};
  o.points = static_cast<int>(x1.size(0)), o.dims = static_cast<int>(x1.size(1));
  o.x0 = x0.const_data_ptr<float>(), o.x1 = x1.const_data_ptr<float>();
  o.ratio = ratio.const_data_ptr<float>(), o.away = away.mutable_data_ptr<float>();
  launcher()->launch(GPUProgram::stable_target, "stable_target", x1.device(),
                     {static_cast<uint32_t>(o.points), 1, 1}, gpu::threads, &o, sizeof o);
  return away;
}

}  // namespace gt
