// Kernels of our own on a GPU of NVIDIA's: compiled for it or found compiled, loaded, launched.
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include <array>
#include <map>
#include <memory>
#include <string_view>

#include "core.h"
#include "internal.h"
#include "kernels/gpu_cache.h"
#include "kernels/launcher.h"
#include "kernels/nvrtc.h"

namespace {

constexpr uint32_t most_x = 2147483647, most_yz = 65535;  // blocks that any GPU takes

// What was loaded for a kind of GPU. CUDA hands it to each GPU by itself.
struct Program {
  struct Kernel {
    cudaKernel_t handle;
    size_t operands;
    uint32_t threads;  // the most in a block
  };
  gt::DeviceKernels::Loaded known;
  std::map<std::string, Kernel, std::less<>> kernels;
};

const void *function(cudaKernel_t k) { return reinterpret_cast<const void *>(k); }

class Kernels final : public gt::DeviceKernels {
 public:
  bool may_wait(c10::Device d) noexcept override {
    try {
      if (c10::cuda::warning_state().get_sync_debug_mode() != c10::cuda::SyncDebugMode::L_DISABLED)
        return false;
      cudaStreamCaptureStatus status{cudaStreamCaptureStatusNone};
      if (cudaStreamIsCapturing(c10::cuda::getCurrentCUDAStream(d.index()), &status) == cudaSuccess)
        return status == cudaStreamCaptureStatusNone;
      forget_error();
    } catch (...) {
    }
    return false;
  }

  void keep_in(const std::string &folder) override { cache_ = gt::GPUCache(folder); }

  Loaded load(c10::Device d, const gt::GPUText &text, gt::GPUProgram p) override {
    failed_ = {};
    const c10::cuda::CUDAGuard guard(d.index());
    int major = 0, minor = 0;
    C10_CUDA_CHECK(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, d.index()));
    C10_CUDA_CHECK(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, d.index()));
    auto &program = of_architecture_[{10 * major + minor, p}];
    if (!program) program = made(10 * major + minor, text, text[p]);
    // CUDA loads a kernel when it is first used, which a capture would not survive.
    for (const auto &[name, k] : program->kernels) {
      cudaFuncAttributes a;
      C10_CUDA_CHECK(cudaFuncGetAttributes(&a, function(k.handle)));
    }
    of(d, p).store(program.get(), std::memory_order_release);
    return program->known;
  }
  Loaded failed() const override { return failed_; }

  void launch(gt::GPUProgram program, const char *name, c10::Device d, gt::Blocks blocks,
              uint32_t threads, const void *operands, size_t bytes) override {
    const Program *p = of(d, program).load(std::memory_order_acquire);
    TORCH_CHECK(p, "no kernels were loaded on ", d, " that ", name, " is one of");
    const auto k = p->kernels.find(std::string_view(name));
    TORCH_CHECK(k != p->kernels.end(), "there is no kernel ", name);
    TORCH_CHECK(bytes == k->second.operands, name, " takes ", k->second.operands,
                " bytes of operands, not ", bytes);
    TORCH_CHECK(threads > 0 && threads <= k->second.threads && blocks.x > 0 && blocks.x <= most_x &&
                    blocks.y > 0 && blocks.y <= most_yz && blocks.z > 0 && blocks.z <= most_yz,
                name, ": a GPU does not take ", blocks.x, " x ", blocks.y, " x ", blocks.z,
                " blocks of ", threads, " threads");
    const c10::cuda::CUDAGuard guard(d.index());
    void *all[] = {const_cast<void *>(operands)};
    C10_CUDA_CHECK(cudaLaunchKernel(function(k->second.handle), dim3(blocks.x, blocks.y, blocks.z),
                                    dim3(threads), all, 0,
                                    c10::cuda::getCurrentCUDAStream(d.index())));
  }

  void forget_error() noexcept override { (void)cudaGetLastError(); }

 private:
  std::unique_ptr<Program> made(int architecture, const gt::GPUText &text,
                                const gt::GPUText::Program &wanted) {
    Loaded &known = failed_;  // as long as it is not loaded
    known.architecture = "sm_" + std::to_string(architecture);
    const gt::NVRTC nvrtc;
    const std::string key = nvrtc.key(text, wanted, architecture);
    if (const auto kept = cache_.find(key)) {
      try {
        return loaded(*kept, wanted, known);
      } catch (...) {  // what is compiled now may do
        forget_error();
      }
    }
    const auto compiled = nvrtc.compile(text, wanted, architecture);
    known.compiled = true, known.log = compiled.log, known.seconds = compiled.seconds;
    if (!compiled.error.empty()) throw std::runtime_error(compiled.error);
    known.not_kept = cache_.keep(key, compiled.code);
    return loaded(compiled.code, wanted, known);
  }

  static std::unique_ptr<Program> loaded(const gt::GPUCache::Codes &codes,
                                         const gt::GPUText::Program &wanted, const Loaded &known) {
    auto p = std::make_unique<Program>();
    p->known = known;
    for (size_t i = 0; i < wanted.kernels.size(); i++) {
      const gt::GPUText::Kernel &kernel = wanted.kernels[i];
      cudaLibrary_t library = nullptr;
      Program::Kernel k{};
      cudaFuncAttributes a{};
      size_t at = 0;
      // Which makes a copy of the code.
      C10_CUDA_CHECK(cudaLibraryLoadData(&library, codes.at(i).data(), nullptr, nullptr, 0, nullptr,
                                         nullptr, 0));
      C10_CUDA_CHECK(cudaLibraryGetKernel(&k.handle, library, kernel.name.c_str()));
      C10_CUDA_CHECK(cudaFuncGetAttributes(&a, function(k.handle)));
      C10_CUDA_CHECK(cudaFuncGetParamInfo(function(k.handle), 0, &at, &k.operands));
      TORCH_CHECK(k.operands == kernel.operands, kernel.name, " takes ", k.operands,
                  " bytes of operands, and is given ", kernel.operands);
      k.threads = static_cast<uint32_t>(a.maxThreadsPerBlock);
      p->kernels.emplace(kernel.name, k);
    }
    return p;
  }

  using Loads = std::atomic<const Program *>;
  Loads &of(c10::Device d, gt::GPUProgram p) {
    return of_device_.at(d.index()).at(static_cast<size_t>(p));
  }

  gt::GPUCache cache_{""};
  std::map<std::pair<int, gt::GPUProgram>, std::unique_ptr<Program>> of_architecture_;
  Loaded failed_;
  std::array<std::array<Loads, gt::gpu_programs>, 128> of_device_{};
};

}  // namespace

GT_EXPORT gt_rp gt_cuda_kernels() {
  return gt::pointer([]() -> void * {
    static gt::DeviceKernels *k = new Kernels;  // never destroyed: CUDA may be gone by then
    return k;
  });
}
