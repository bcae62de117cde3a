#include "groupnorm_gpu.h"

#include "dispatch.h"
#include "gpu/operands.h"
#include "gpu_elements.h"

namespace gt {
namespace {

constexpr int64_t wanted_blocks = 1024;   // some for each place that the largest GPUs have
constexpr int64_t least = 2, most = 512;  // pixels of a thread in a chunk, if there are as many

// How the work is cut: by the sizes alone, so that no result depends on the GPU.
struct Cut {
  int64_t tiles, chunk, chunks;

  // neighbours: elements that a thread has of a pixel.
  Cut(int64_t samples, int64_t channels, int64_t pixels, int64_t neighbours) {
    int64_t across = channels / neighbours, columns = std::min<int64_t>(across, gpu::threads);
    int64_t lanes = gpu::threads / columns;
    tiles = up(across, columns);
    int64_t wanted = up(wanted_blocks, samples * tiles);
    chunk = std::clamp(up(pixels, wanted), least * lanes, most * lanes);
    chunk = std::min(chunk, pixels);
    chunks = up(pixels, chunk);
  }
  static int64_t up(int64_t a, int64_t b) { return (a + b - 1) / b; }
};

bool known(const at::Tensor &t) {
  return t.scalar_type() == at::kFloat || t.scalar_type() == at::kBFloat16;
}

int64_t pixels(const at::Tensor &x) { return x.numel() / (x.size(0) * x.size(1)); }

// Operands of a direction's two kernels, and their launch.
class Launch {
 public:
  Launch(const GroupNormOperands &of, const at::Tensor &mean)
      : elements(of.x, of.x.size(1)), device_(of.x.device()) {
    const at::Tensor &x = of.x;
    samples_ = x.size(0);
    int64_t channels = x.size(1);
    o.x = x.const_data_ptr();
    Cut cut(samples_, channels, pixels(x), elements.count);
    tiles_ = cut.tiles;
    o.channels = static_cast<int>(channels), o.groups = static_cast<int>(of.groups);
    o.pixels = static_cast<int>(pixels(x));
    o.chunk = static_cast<int>(cut.chunk), o.chunks = static_cast<int>(cut.chunks);
    o.parts = tiles_ == 1 ? 1 : o.channels / o.groups;
    o.act = of.act, o.eps = static_cast<float>(of.eps);
    o.shift = numbers(of.shift), o.weight = numbers(of.weight), o.bias = numbers(of.bias);
    o.mean = mean.mutable_data_ptr<float>(), o.rstd = o.mean + samples_ * of.groups;
  }

  void run(const char *kernel) {
    launcher()->launch(elements.of(GPUProgram::group_norm_bf16x8),
                       elements.of(std::string("group_norm_") + kernel).c_str(), device_,
                       {static_cast<uint32_t>(samples_), static_cast<uint32_t>(o.chunks),
                        static_cast<uint32_t>(tiles_)},
                       gpu::threads, &o, sizeof o);
  }

  gpu::GroupNorm o = {};
  const GPUElements elements;

 private:
  // What one row of something wider is, as all blocks' share of a product is, is read
  // where it lies.
  gpu::Numbers numbers(const at::Tensor &t) {
    if (!t.defined()) return {};
    bool beside = t.stride(-1) == 1 && (t.dim() == 1 || std::abs(t.stride(0)) <= INT32_MAX);
    kept_.push_back(beside ? t : t.contiguous());
    const at::Tensor &k = kept_.back();
    return {k.const_data_ptr(), k.scalar_type() == at::kBFloat16,
            k.dim() == 1 ? 0 : static_cast<int>(k.stride(0))};
  }

  c10::Device device_;
  int64_t samples_, tiles_;
  std::vector<at::Tensor> kept_;
};

}  // namespace

bool GroupNormOperands::on_gpu(bool as_it_lies) const {
  if (x.is_cpu() || !launcher() || x.numel() == 0 || x.layout() != at::kStrided || !known(x))
    return false;
  for (const at::Tensor *t : {&shift, &weight, &bias})
    if (t->defined() && !known(*t)) return false;
  // So that the kernels may count in 32 bits.
  int64_t samples = x.size(0), channels = x.size(1);
  if (samples > INT32_MAX || channels >= 1 << 24 || pixels(x) >= 1 << 30) return false;
  for (int64_t neighbours : {1, 4, 8}) {
    if (channels % neighbours) continue;
    Cut cut(samples, channels, pixels(x), neighbours);
    if (cut.tiles >= 1 << 16 || cut.chunks >= 1 << 16 || cut.chunks * channels > INT32_MAX)
      return false;
  }
  return launcher()->ready(x.device(),
                           GPUElements(x, channels, as_it_lies).of(GPUProgram::group_norm_bf16x8));
}

at::Tensor GroupNormOperands::forward_on_gpu(const at::Tensor &mean) const {
  at::Tensor y = at::empty_like(x);
  Launch launch(*this, mean);
  gpu::GroupNorm &o = launch.o;
  at::Tensor partial = at::empty({x.size(0), o.chunks, groups, o.parts, 2}, mean.options());
  o.partial = partial.mutable_data_ptr<float>(), o.y = y.mutable_data_ptr();
  launch.run("moments");
  launch.run("forward");
  return y;
}

void GroupNormOperands::backward_on_gpu(const at::Tensor &mean, const at::Tensor &dy,
                                        const at::Tensor &rest, const at::Tensor &dx,
                                        const at::Tensor &sums) const {
  Launch launch(*this, mean);
  const at::Tensor beside = launch.elements.beside(dy);
  const at::Tensor more = rest.defined() ? launch.elements.beside(rest) : rest;
  gpu::GroupNorm &o = launch.o;
  int64_t each = x.size(0) * x.size(1);
  at::Tensor chunks = at::empty({3, x.size(0), o.chunks, x.size(1)}, mean.options());
  o.dy = beside.const_data_ptr(), o.dx = dx.mutable_data_ptr();
  if (more.defined()) o.rest = more.const_data_ptr();
  o.sums = chunks.mutable_data_ptr<float>();
  o.dweight = sums.mutable_data_ptr<float>(), o.dbias = o.dweight + each;
  if (sums.size(0) == 3) o.dshift = o.dbias + each;
  launch.run("sums");
  launch.run("backward");
}

}  // namespace gt
