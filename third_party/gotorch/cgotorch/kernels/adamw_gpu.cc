#include "adamw_gpu.h"

#include "gpu/operands.h"
#include "launcher.h"

namespace gt {
namespace {

constexpr int64_t share = gpu::AdamW::share;

int64_t blocks_of(int64_t n) { return (n + share - 1) / share; }

// The operands of one launch, and its blocks.
struct Launch {
  std::unique_ptr<gpu::AdamW> o = std::make_unique<gpu::AdamW>();
  int64_t blocks = 0;

  void run(const char *kernel, c10::Device d) const {
    launcher()->launch(GPUProgram::adamw, kernel, d, {static_cast<uint32_t>(blocks), 1, 1},
                       gpu::threads, o.get(), sizeof *o);
  }
};

}  // namespace

bool adamw_on_gpu(c10::Device d, const std::vector<at::Tensor> &params) {
  if (d.is_cpu() || !launcher()) return false;
  // So that the kernels may count in 32 bits.
  int64_t blocks = 0;
  for (const at::Tensor &p : params) {
    if (p.numel() > INT32_MAX - share) return false;
    blocks += blocks_of(p.numel());
  }
  return blocks <= INT32_MAX && launcher()->ready(d, GPUProgram::adamw);
}

void step_on_gpu(const AdamWOnGPU &of, const std::vector<AdamWOperands> &all) {
  const c10::Device d = of.count.device();
  std::vector<Launch> launches;
  int64_t before = 0;
  for (const AdamWOperands &t : all) {
    if (t.n == 0) continue;
    if (launches.empty() || launches.back().o->parameters == gpu::AdamW::most) {
      before += launches.empty() ? 0 : launches.back().blocks;
      launches.emplace_back();
      launches.back().o->before = static_cast<int>(before);
    }
    Launch &l = launches.back();
    l.o->of[l.o->parameters++] = {t.param,
                                  t.grad,
                                  t.exp_avg,
                                  t.exp_avg_sq,
                                  t.average,
                                  t.rounded,
                                  static_cast<int>(t.n),
                                  static_cast<int>(l.blocks)};
    l.blocks += blocks_of(t.n);
  }
  const int64_t blocks = launches.empty() ? 0 : before + launches.back().blocks;
  const at::Tensor squares = at::empty({std::max<int64_t>(blocks, 1)}, of.count.options());
  const at::Tensor numbers =
      at::empty({sizeof(gpu::AdamWNumbers) / sizeof(float)}, of.count.options());
  gpu::AdamWStep step = {};
  step.squares = squares.const_data_ptr<float>(), step.blocks = static_cast<int>(blocks);
  step.inverse = of.max_norm > 0 ? static_cast<float>(1 / of.max_norm) : 0;
  step.beta1 = of.beta1, step.beta2 = of.beta2, step.eps = of.eps;
  step.weight_decay = of.weight_decay;
  step.loss = of.loss.const_data_ptr<float>();
  step.rates = of.rates.const_data_ptr<float>(), step.weights = of.weights.const_data_ptr<float>();
  static_assert(sizeof(long long) == sizeof(int64_t));
  step.next = reinterpret_cast<long long *>(of.next.mutable_data_ptr<int64_t>());
  step.notes = of.notes.mutable_data_ptr<float>(), step.steps = of.rates.numel();
  step.count = of.count.mutable_data_ptr<float>();
  step.numbers = static_cast<gpu::AdamWNumbers *>(numbers.mutable_data_ptr());
  for (const Launch &l : launches)
    l.o->squares = squares.mutable_data_ptr<float>(), l.o->numbers = step.numbers;

  for (const Launch &l : launches) l.run("adamw_squares", d);
  launcher()->launch(GPUProgram::adamw, "adamw_numbers", d, {}, gpu::threads, &step, sizeof step);
  for (const Launch &l : launches) l.run("adamw_update", d);
}

}  // namespace gt
