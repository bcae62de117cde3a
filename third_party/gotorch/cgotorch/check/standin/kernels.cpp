// Kernels of our own for a GPU, by the processor.
#include <string_view>

#include "kernels/gpu/adamw.cuh"
#include "kernels/gpu/bias_silu.cuh"
#include "kernels/gpu/groupnorm.cuh"
#include "kernels/gpu/list.h"
#include "kernels/gpu/stable_target.cuh"
#include "kernels/gpu_cache.h"
#include "threads.h"

namespace standin {
namespace {

GT_GPU_KERNELS(GT_GPU_KERNEL)

struct Kernel {
  gt::GPUProgram program;
  std::string_view name;
  size_t bytes;  // of its operands
  void (*run)(const void *operands);
};

constexpr Kernel all[] = {
#define ONE(program, kernel, Operands, body, memory)                   \
  {gt::GPUProgram::program, #kernel, sizeof(gt::gpu::Operands),        \
   [](const void *operands) { kernel(*static_cast<const gt::gpu::Operands *>(operands)); }},
    GT_GPU_KERNELS(ONE)
#undef ONE
};

const Kernel &find(gt::GPUProgram program, std::string_view name) {
  for (const Kernel &k : all)
    if (k.program == program && k.name == name) return k;
  TORCH_CHECK(false, "there is no kernel ", name);
}

struct Processor final : gt::DeviceKernels {
  bool may_wait(c10::Device) noexcept override { return !recording(); }
  // The text is this library's own; of another build's it knows nothing.
  Loaded load(c10::Device d, const gt::GPUText &text, gt::GPUProgram p) override {
    TORCH_CHECK(d.type() == kind, "kernels are for a GPU, not for ", d);
    for (const auto &k : text[p].kernels)
      TORCH_CHECK(find(p, k.name).bytes == k.operands, k.name, " was compiled for other operands");
    of_device_.at(d.index()).at(static_cast<size_t>(p)) = true;
    Loaded l;
    l.architecture = "stand-in";
    // There is nothing to compile; that is found the next time as it would be on a GPU.
    gt::GPUCache::Codes codes;
    for (const auto &k : text[p].kernels) codes.push_back(k.text);
    const std::string key = gt::SHA256::of(text[p].name + text[p].file.second);
    l.compiled = cache_.find(key) != codes;
    if (l.compiled) l.not_kept = cache_.keep(key, codes);
    return l;
  }
  void keep_in(const std::string &folder) override { cache_ = gt::GPUCache(folder); }
  void forget_error() noexcept override {}

  // Which words of the operands are addresses is seen by where they lead.
  void launch(gt::GPUProgram p, const char *name, c10::Device d, gt::Blocks blocks,
              uint32_t threads, const void *operands, size_t bytes) override {
    const Kernel &kernel = find(p, name);
    TORCH_CHECK(of_device_.at(d.index()).at(static_cast<size_t>(p)), name, " was not loaded on ",
                d);
    TORCH_CHECK(bytes == kernel.bytes && bytes % sizeof(void *) == 0, name, " is given ", bytes,
                " bytes, not ", kernel.bytes);
    TORCH_CHECK(d.type() == kind, name, " is for a GPU, not for ", d);
    std::vector<void *> words(bytes / sizeof(void *));
    std::memcpy(words.data(), operands, bytes);
    std::vector<Span> spans;
    std::vector<std::shared_ptr<void>> held;
    for (void *&w : words) {
      if (!is_there(w)) continue;
      Held found = hold(w);
      TORCH_CHECK(found.device == d.index(), name, " on device ", int{d.index()},
                  " is given memory of device ", found.device);
      spans.push_back(found.span), held.push_back(std::move(found.holder));
      w = real(w);
    }
    const Launch shown(name);
    // A graph's memory stays its own as long as it is there: held.
    work(name, d.index(), [&kernel, blocks, threads, words, spans, held] {
      run_threads(blocks, threads, spans, [&] { kernel.run(words.data()); });
    });
  }

 private:
  gt::GPUCache cache_{""};
  std::array<std::array<std::atomic<bool>, gt::gpu_programs>, devices> of_device_{};
};

}  // namespace

gt::DeviceKernels *processor() {
  static auto *p = new Processor;
  return p;
}

}  // namespace standin
