// How kernels of our own get to a GPU, without one: cuda_kernels.cc and launcher.cc as they
// are and NVIDIA's compiler, on a CUDA that notes what it is asked and fails where it is
// told to. scripts/check-cuda-kernels builds and runs it:
//
//	kernel_launch FOLDER  each scenario, with the compiler in FOLDER
//	kernel_launch         what is said where the compiler is missing
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include <ATen/ThreadLocalState.h>

#include <dlfcn.h>

#include <cstdio>
#include <thread>

#include "core.h"
#include "internal.h"
#include "kernels/launcher.h"
#include "message.h"

namespace gt {
std::atomic<int64_t> handles_made{0}, handles_freed{0};
constinit thread_local Thread thread{0, true, 0, 1, 0};
void prepare_thread() {}
char *message(std::exception_ptr e) noexcept { return message(std::move(e), false); }

const GPUText &real_text();  // gpu_text.cc, compiled under that name
GPUText now;
const GPUText &gpu_text() { return now; }
void check_kernels(c10::Device, GPUProgram, Launcher &) {}  // what libtorch computes there is not known here
}  // namespace gt

extern "C" gt_rp gt_cuda_kernels();

// ---- CUDA

namespace {

struct World {
  int architecture = 90;
  bool capturing = false;
  std::string fails;  // the function that does
  int loads = 0;
  cudaError_t last = cudaSuccess;  // nobody has seen it yet
  struct {
    const void *kernel = nullptr;
    dim3 blocks, threads;
    std::string operands;
    cudaStream_t stream = nullptr;
    int device = -1;
  } launched;
} world;
thread_local int current = 0;

cudaError_t done(const char *function, cudaError_t otherwise) {
  return world.last = world.fails == function ? otherwise : cudaSuccess;
}
std::string name_of(const void *kernel) { return static_cast<const char *>(kernel); }
size_t operands_of(const void *kernel) {
  for (const auto &p : gt::real_text().programs)
    for (const auto &k : p.kernels)
      if (k.name == name_of(kernel)) return k.operands;
  return 0;
}

}  // namespace

extern "C" {
cudaError_t cudaDeviceGetAttribute(int *v, cudaDeviceAttr a, int) {
  *v = a == cudaDevAttrComputeCapabilityMajor ? world.architecture / 10 : world.architecture % 10;
  return cudaSuccess;
}
cudaError_t cudaLibraryLoadData(cudaLibrary_t *l, const void *code, cudaJitOption *, void **,
                                unsigned, cudaLibraryOption *, void **, unsigned) {
  world.loads++;
  if (std::memcmp(code, "\177ELF", 4) != 0) return cudaErrorInvalidKernelImage;
  *l = reinterpret_cast<cudaLibrary_t>(const_cast<void *>(code));
  return done("cudaLibraryLoadData", cudaErrorInvalidKernelImage);
}
cudaError_t cudaLibraryGetKernel(cudaKernel_t *k, cudaLibrary_t, const char *name) {
  for (const auto &p : gt::real_text().programs)
    for (const auto &real : p.kernels)
      if (real.name == name) {
        *k = reinterpret_cast<cudaKernel_t>(const_cast<char *>(real.name.c_str()));
        return done("cudaLibraryGetKernel", cudaErrorSymbolNotFound);
      }
  return world.last = cudaErrorSymbolNotFound;
}
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *a, const void *) {
  *a = {};
  a->maxThreadsPerBlock = 1024;
  return cudaSuccess;
}
cudaError_t cudaFuncGetParamInfo(const void *k, size_t, size_t *at, size_t *size) {
  *at = 0, *size = operands_of(k);
  return cudaSuccess;
}
cudaError_t cudaLaunchKernel(const void *k, dim3 blocks, dim3 threads, void **operands, size_t,
                             cudaStream_t s) {
  world.launched = {k, blocks, threads, std::string(static_cast<char *>(operands[0]), operands_of(k)), s, current};
  return done("cudaLaunchKernel", cudaErrorLaunchOutOfResources);
}
cudaError_t cudaStreamIsCapturing(cudaStream_t, cudaStreamCaptureStatus *s) {
  *s = world.capturing ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return done("cudaStreamIsCapturing", cudaErrorStreamCaptureImplicit);
}
cudaError_t cudaGetLastError() { return std::exchange(world.last, cudaSuccess); }
}

namespace c10::cuda {
void c10_cuda_check_implementation(int32_t e, const char *, const char *, uint32_t, bool) {
  // As libtorch's, this leaves the error to be forgotten.
  TORCH_CHECK(e == cudaSuccess, "CUDA error: number ", e, "\nand lines of advice");
}
cudaError_t GetDevice(DeviceIndex *d) {
  *d = static_cast<DeviceIndex>(current);
  return cudaSuccess;
}
cudaError_t SetDevice(DeviceIndex d, bool) {
  current = d;
  return cudaSuccess;
}
cudaError_t MaybeSetDevice(DeviceIndex d) { return SetDevice(d, false); }
DeviceIndex ExchangeDevice(DeviceIndex d) { return static_cast<DeviceIndex>(std::exchange(current, d)); }
DeviceIndex MaybeExchangeDevice(DeviceIndex d) { return ExchangeDevice(d); }
DeviceIndex device_count() noexcept { return 2; }
DeviceIndex current_device() { return static_cast<DeviceIndex>(current); }
void set_device(DeviceIndex d, bool) { current = d; }
CUDAStream getCurrentCUDAStream(DeviceIndex d) {
  return CUDAStream(CUDAStream::UNCHECKED, Stream(Stream::UNSAFE, Device(DeviceType::CUDA, d), 7 + d));
}
CUDAStream getDefaultCUDAStream(DeviceIndex d) { return getCurrentCUDAStream(d); }
CUDAStream getStreamFromPool(bool, DeviceIndex d) { return getCurrentCUDAStream(d); }
CUDAStream getStreamFromPool(int, DeviceIndex d) { return getCurrentCUDAStream(d); }
void setCurrentCUDAStream(CUDAStream) {}
bool CUDAStream::query() const { return true; }
void CUDAStream::synchronize() const {}
namespace CUDACachingAllocator {
std::atomic<CUDAAllocator *> allocator{nullptr};
}
cudaStream_t CUDAStream::stream() const { return reinterpret_cast<cudaStream_t>(id()); }
}  // namespace c10::cuda

// ---- What is checked

namespace {

int failures = 0, checks = 0;
std::string warned;
struct Listener : c10::WarningHandler {
  void process(const c10::Warning &w) override { warned += w.msg(); }
} listener;
std::string check_says;  // what the check of the numbers throws, or ""
void (*during)(gt::Launcher &) = nullptr;

void check(c10::Device, gt::GPUProgram, gt::Launcher &l) {
  checks++;
  if (during) during(l);
  TORCH_CHECK(check_says.empty(), check_says);
}

void expect(bool ok, const std::string &what) {
  if (ok) return;
  std::fprintf(stderr, "launch: %s\n", what.c_str());
  failures++;
}

c10::Device gpu(int i) { return {c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(i)}; }
gt::DeviceKernels &device() { return *static_cast<gt::DeviceKernels *>(gt_cuda_kernels().p); }
// Another one knows nothing yet of any device; what was compiled for an architecture stays.
std::unique_ptr<gt::Launcher> fresh(int architecture) {
  world = {}, check_says.clear(), during = nullptr, checks = 0, warned.clear();
  world.architecture = architecture;
  gt::now = gt::real_text();
  return std::make_unique<gt::Launcher>(device(), &check);
}

// What is asked for, and one more: those that compile fastest.
constexpr gt::GPUProgram asked = gt::GPUProgram::group_norm_f32, other = gt::GPUProgram::group_norm_bf16;
gt::GPUText::Program &text() { return gt::now.programs[static_cast<size_t>(asked)]; }
int kernels() { return static_cast<int>(gt::real_text()[asked].kernels.size()); }

// A device that is refused, for good, whatever changes after.
void refused(gt::Launcher &l, const std::string &why) {
  expect(!l.ready(gpu(0), asked), why + ": was not refused");
  const auto r = l.report(gpu(0), asked);
  expect(!r.ready && r.why.find(why) != std::string::npos, "it says '" + r.why + "', not '" + why + "'");
  expect(r.why.find('\n') == std::string::npos, why + ": more than a line");
  expect(world.last == cudaSuccess, why + ": the error is left for the next check");
  expect(warned.find(why) != std::string::npos, why + ": nobody is told");
  warned.clear();
  const int loads = world.loads;
  world.fails.clear(), check_says.clear(), gt::now = gt::real_text();
  expect(!l.ready(gpu(0), asked) && world.loads == loads && warned.empty(), why + ": was tried again");
}

template <class F>
void throws(F f, const std::string &what) {
  try {
    f();
    expect(false, what + ": no error");
  } catch (const std::exception &e) {
    expect(std::string(e.what()).find(what) != std::string::npos, std::string(e.what()) + ", not " + what);
  }
}

void refusals() {
  {
    auto l = fresh(75);
    text().kernels[1].text += "extern \"C\" __global__ void k(int *x) { *x = y; }\n";
    refused(*l, "they do not compile for sm_75: kernels.cu");
    expect(l->report(gpu(0), asked).loaded.log.find("identifier \"y\" is undefined") != std::string::npos, "the compiler's log is lost");
  }
  {
    auto l = fresh(75);
    text().kernels[0].text += "static_assert(sizeof(gt::gpu::GroupNorm) == 1, \"laid out otherwise\");\n";
    refused(*l, "laid out otherwise");
  }
  refused(*fresh(70), "libnvrtc 13.0 does not know sm_70");
  {
    auto l = fresh(80);
    world.fails = "cudaLibraryLoadData";
    refused(*l, "CUDA error: number 200");
  }
  {
    auto l = fresh(80);
    text().kernels[3].name = "missing";
    refused(*l, "CUDA error: number 500");
  }
  {
    auto l = fresh(80);
    text().kernels[2].operands += 8;
    refused(*l, "bytes of operands, and is given");
  }
  auto l = fresh(80);
  check_says = "GroupNorm is 0.5 off libtorch's\nand more";
  refused(*l, "GroupNorm is 0.5 off libtorch's");
  expect(world.loads == kernels(), "what cannot be used was kept, or what can was not");
}

void later() {
  auto l = fresh(86);
  world.capturing = true;
  expect(!l->ready(gpu(0), asked) && world.loads == 0, "something was begun while a graph is captured");
  expect(l->report(gpu(0), asked).why == "a graph is being captured", "it does not say that a graph is captured");
  world.capturing = false, world.fails = "cudaStreamIsCapturing";
  expect(!l->ready(gpu(0), asked) && world.loads == 0 && !world.last, "something was begun while another stream is captured");
  world.fails.clear();
  c10::cuda::warning_state().set_sync_debug_mode(c10::cuda::SyncDebugMode::L_ERROR);
  expect(!l->ready(gpu(0), asked) && world.loads == 0, "something was begun while nothing may wait");
  c10::cuda::warning_state().set_sync_debug_mode(c10::cuda::SyncDebugMode::L_DISABLED);
  expect(l->ready(gpu(0), asked) && l->report(gpu(0), asked).why.empty(), "afterwards it is not ready: " + l->report(gpu(0), asked).why);
  world.capturing = true;
  expect(l->ready(gpu(0), asked), "what is ready is not while a graph is captured");
}

void once() {
  auto l = fresh(89);
  std::atomic<int> yes{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++)
    threads.emplace_back([&, i] {
      if (l->ready(gpu(i % 2), asked)) yes++;
    });
  for (auto &t : threads) t.join();
  expect(yes == 4 && world.loads == kernels() && checks == 2, std::to_string(yes) + " of 4 threads are told yes, of " + std::to_string(world.loads) + " libraries and " + std::to_string(checks) + " checks");
  const auto r = l->report(gpu(1), asked);
  expect(r.loaded.architecture == "sm_89" && r.loaded.seconds > 0 && r.loaded.log.empty(), "the report: " + r.loaded.architecture + " " + r.loaded.log);
  expect(current == 0, "another device is left");
}

// What is not asked for is not compiled, and stands and falls by itself.
void programs() {
  auto l = fresh(120);
  expect(l->ready(gpu(0), asked) && world.loads == kernels() && checks == 1, "what was not asked for was loaded: " + std::to_string(world.loads));
  check_says = "off";
  expect(!l->ready(gpu(0), other) && l->ready(gpu(0), asked) && checks == 2, "a program that fails takes another with it");
}

// Whoever computes for a check is told what it wants, gradients' threads included; others wait.
void trials() {
  auto l = fresh(90);
  during = [](gt::Launcher &l) {
    for (bool ours : {true, false}) {
      const gt::Launcher::Trial trial(asked, ours);
      expect(l.ready(gpu(0), asked) == ours, "a trial is told otherwise");
      expect(!l.ready(gpu(0), other), "a trial is told of another program");
      const at::ThreadLocalState state;
      std::thread([&] {
        const at::ThreadLocalStateGuard guard(state);
        expect(l.ready(gpu(0), asked) == ours, "a gradient's thread is told otherwise");
      }).join();
    }
    const auto &k = gt::gpu_text()[asked].kernels[0];
    const std::string operands(k.operands, 'x');
    l.launch(asked, k.name.c_str(), gpu(0), {1, 1, 1}, 32, operands.data(), operands.size());
    expect(l.tried() == std::set<std::string>{k.name}, "what was tried is not known");
  };
  expect(l->ready(gpu(0), asked) && checks == 1, "there was no check");
}

void launches() {
  auto l = fresh(100);
  const auto &k = gt::real_text()[asked].kernels[1];
  std::string operands(k.operands, 'x');
  operands[3] = 'y';
  auto launch = [&](const char *name, gt::Blocks b, uint32_t threads, size_t bytes) {
    l->launch(asked, name, gpu(1), b, threads, operands.data(), bytes);
  };
  const char *name = k.name.c_str();
  throws([&] { l->launch(asked, name, gpu(5), {}, 32, operands.data(), k.operands); }, "no kernels were loaded");
  expect(l->ready(gpu(1), asked), "not ready: " + l->report(gpu(1), asked).why);
  throws([&] { l->launch(other, name, gpu(1), {}, 32, operands.data(), k.operands); }, "no kernels were loaded");
  launch(name, {5, 65535, 7}, 256, k.operands);
  const auto &w = world.launched;
  expect(name_of(w.kernel) == k.name && w.blocks.x == 5 && w.blocks.y == 65535 && w.blocks.z == 7 && w.threads.x == 256 && w.threads.y == 1 &&
             w.operands == operands && w.device == 1 && w.stream == reinterpret_cast<cudaStream_t>(8) && current == 0,
         "something else was launched");
  world.launched = {};
  throws([&] { launch("none", {}, 32, k.operands); }, "there is no kernel none");
  throws([&] { launch(name, {}, 32, k.operands - 8); }, "bytes of operands");
  for (gt::Blocks b : {gt::Blocks{0, 1, 1}, {1, 0, 1}, {1, 1, 0}, {1u << 31, 1, 1}, {1, 65536, 1}, {1, 1, 65536}})
    throws([&] { launch(name, b, 32, k.operands); }, "a GPU does not take");
  for (uint32_t threads : {0, 1025}) throws([&] { launch(name, {}, threads, k.operands); }, "a GPU does not take");
  expect(!world.launched.kernel, "what was refused was launched");
  world.fails = "cudaLaunchKernel";
  throws([&] { launch(name, {}, 32, k.operands); }, "CUDA error: number 701");
}

}  // namespace

int main(int n, char **arguments) {
  c10::WarningUtils::set_warning_handler(&listener);
  if (n < 2) {
    refused(*fresh(90), "libnvrtc, which compiles them, is missing");
  } else {
    // As the Go part opens them: kernels/nvrtc.h finds them by what is open, or nowhere.
    for (const char *name : {"/libnvrtc-builtins.so.13.0", "/libnvrtc.so.13"})
      expect(dlopen((arguments[1] + std::string(name)).c_str(), RTLD_NOW | RTLD_GLOBAL), name);
    refusals();
    later();
    once();
    programs();
    trials();
    launches();
  }
  if (!failures) std::puts("ok");
  return failures != 0;
}
