#include "bias_silu_gpu.h"

#include <ATen/autocast_mode.h>
#include <ATen/ops/sum.h>

#include "gpu/operands.h"
#include "gpu_elements.h"

namespace gt {
namespace {

constexpr int64_t wanted_blocks = 1024;  // some for each place that the largest GPUs have
constexpr int64_t alone = 1024;          // rows that one block sums, without another launch
constexpr int64_t line = 128;            // bytes: what a tile has of a row, at least

int64_t up(int64_t a, int64_t b) { return (a + b - 1) / b; }

bool known(at::ScalarType t) { return t == at::kFloat || t == at::kBFloat16; }

int64_t rows(const at::Tensor &x) { return x.numel() / x.size(-1); }

// Operands of a kernel, and its launch. The work is cut by the sizes alone, so that no result
// depends on the GPU.
class Launch {
 public:
  // summed: over rows.
  Launch(const BiasSiluOperands &of, bool summed)
      : elements(of.x, of.x.size(-1)), device_(of.x.device()) {
    const at::Tensor &x = of.x;
    const int64_t across = x.size(-1) / elements.count;
    const int64_t tile = std::min(across, line / (elements.count * x.element_size()));
    tiles_ = up(across, tile);
    const int64_t lanes = gpu::threads / tile, wanted = up(wanted_blocks, tiles_);
    o.rows = rows(x), o.columns = static_cast<int>(x.size(-1)), o.tile = static_cast<int>(tile);
    o.chunk = std::max(up(o.rows, wanted), 4 * lanes);
    if (summed) o.chunk = std::max<int64_t>(o.chunk, alone);
    o.chunk = std::min<int64_t>(o.chunk, o.rows);
    o.x = x.const_data_ptr();
    if (of.bias.defined()) {
      bias_ = of.bias.contiguous();
      o.bias = {bias_.const_data_ptr(), bias_.scalar_type() == at::kBFloat16, 0};
    }
  }
  int64_t chunks() const { return up(o.rows, o.chunk); }

  void run(const char *kernel) {
    launcher()->launch(elements.of(GPUProgram::bias_silu_bf16x8),
                       elements.of(std::string("bias_silu_") + kernel).c_str(), device_,
                       {static_cast<uint32_t>(chunks()), static_cast<uint32_t>(tiles_), 1},
                       gpu::threads, &o, sizeof o);
  }

  gpu::BiasSilu o = {};
  const GPUElements elements;

 private:
  c10::Device device_;
  int64_t tiles_;
  at::Tensor bias_;
};

// So that the kernels may count columns in 32 bits, and chunks and tiles fit a grid.
bool fits(int64_t rows, int64_t columns) { return columns <= 1 << 20 && rows <= INT32_MAX; }

}  // namespace

bool BiasSiluOperands::on_gpu(bool as_it_lies) const {
  if (x.is_cpu() || !launcher() || x.dim() == 0 || x.numel() == 0 || x.layout() != at::kStrided ||
      !known(x.scalar_type()) || (bias.defined() && !known(bias.scalar_type())) ||
      !fits(rows(x), x.size(-1)))
    return false;
  return launcher()->ready(x.device(),
                           GPUElements(x, x.size(-1), as_it_lies).of(GPUProgram::bias_silu_bf16x8));
}

bool linear_silu_on_gpu(const at::Tensor &x, const at::Tensor &w, const at::Tensor &bias) {
  if (x.is_cpu() || !launcher() || x.dim() == 0 || w.dim() != 2 || x.numel() == 0 || w.numel() == 0)
    return false;
  // The product's type.
  at::ScalarType type = x.scalar_type();
  if (type != at::kDouble && at::autocast::is_autocast_enabled(x.device().type()))
    type = at::autocast::get_autocast_dtype(x.device().type());
  if (!known(type) || (bias.defined() && !known(bias.scalar_type())) || !fits(rows(x), w.size(0)))
    return false;
  return launcher()->ready(x.device(),
                           GPUElements(type, w.size(0)).of(GPUProgram::bias_silu_bf16x8));
}

void BiasSiluOperands::forward_on_gpu(const at::Tensor &y) const {
  Launch launch(*this, false);
  launch.o.y = y.mutable_data_ptr();
  launch.run("forward");
}

at::Tensor BiasSiluOperands::backward_on_gpu(const at::Tensor &dy, const at::Tensor &dx,
                                             bool of_bias) const {
  Launch launch(*this, of_bias);
  const at::Tensor beside = launch.elements.beside(dy);
  gpu::BiasSilu &o = launch.o;
  at::Tensor sums;
  if (of_bias) {
    sums = at::empty({launch.chunks(), x.size(-1)}, x.options().dtype(at::kFloat));
    o.sums = sums.mutable_data_ptr<float>();
  }
  o.dy = beside.const_data_ptr(), o.dx = dx.mutable_data_ptr();
  launch.run("backward");
  if (!of_bias) return {};
  return sums.size(0) == 1 ? sums[0] : sums.sum(0);
}

}  // namespace gt
