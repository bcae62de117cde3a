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
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core.h"
#include "internal.h"
#include "kernels/gpu_cache.h"
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
  int refuses = 0;    // so many libraries
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
  if (std::memcmp(code, "\177ELF", 4) != 0 || world.refuses-- > 0) return world.last = cudaErrorInvalidKernelImage;
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

// ---- What is kept. Each process is one of its own.

std::string folder;

int process(void (*f)()) {
  const pid_t child = fork();
  if (child != 0) return child;
  failures = 0;
  f();
  _exit(failures != 0);
}
void wait_for(int child, const std::string &what) {
  int status = 0;
  waitpid(child, &status, 0);
  expect(status == 0, what + ": see above");
}

// A program of one kernel that compiles at once.
std::unique_ptr<gt::Launcher> quick() {
  auto l = fresh(90);
  text().kernels.resize(1);
  auto &k = text().kernels[0];
  k.text = "struct O { char c[" + std::to_string(k.operands) + "]; };\nextern \"C\" __global__ void " + k.name + "(const O o) {}\n";
  device().keep_in(folder);
  return l;
}
void compiles() {
  auto l = quick();
  expect(l->ready(gpu(0), asked) && l->report(gpu(0), asked).loaded.compiled, "it was not compiled");
  expect(l->report(gpu(0), asked).loaded.not_kept.empty(), l->report(gpu(0), asked).loaded.not_kept);
}
void finds() {
  auto l = quick();
  expect(l->ready(gpu(0), asked) && world.loads == 1 && !l->report(gpu(0), asked).loaded.compiled, "it was not found");
}
void keeps_nothing() {
  auto l = quick();
  expect(l->ready(gpu(0), asked) && l->report(gpu(0), asked).loaded.compiled, "it was not compiled");
  expect(!l->report(gpu(0), asked).loaded.not_kept.empty(), "it does not say that nothing is kept");
}
void compiles_what_cuda_refuses() {
  auto l = quick();
  world.refuses = 1;
  expect(l->ready(gpu(0), asked) && world.loads == 2 && l->report(gpu(0), asked).loaded.compiled && !world.last, "what CUDA refuses was not compiled anew");
}
void other_text() {
  auto l = quick();
  text().kernels[0].text += " ";
  expect(l->ready(gpu(0), asked) && l->report(gpu(0), asked).loaded.compiled, "another text's code was taken");
}
void other_header() {
  auto l = quick();
  gt::now.headers[0].second += " ";
  expect(l->ready(gpu(0), asked) && l->report(gpu(0), asked).loaded.compiled, "another header's code was taken");
}
void other_gpu() {
  auto l = quick();
  world.architecture = 80;
  expect(l->ready(gpu(0), asked) && l->report(gpu(0), asked).loaded.compiled, "another GPU's code was taken");
}

namespace fs = std::filesystem;

std::vector<fs::path> files() {
  std::vector<fs::path> all;
  for (const auto &e : fs::directory_iterator(folder)) all.push_back(e.path());
  return all;
}
std::string contents(const fs::path &p) {
  std::ifstream f(p, std::ios::binary);
  return {std::istreambuf_iterator<char>(f), {}};
}
void put(const fs::path &p, const std::string &s) { std::ofstream(p, std::ios::binary) << s; }

void kept(const std::string &in) {
  expect(gt::SHA256::of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" &&
             gt::SHA256::of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" &&
             gt::SHA256::of(std::string(1000000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
         "SHA-256 is another");  // FIPS 180-4's examples
  umask(0);  // what is kept is this user's all the same
  folder = in + "/a/b";
  wait_for(process(&compiles), "the first process");
  expect(files().size() == 1, "not one file was kept");
  const fs::path f = files()[0];
  const std::string good = contents(f);
  struct stat s;
  expect(stat(f.c_str(), &s) == 0 && (s.st_mode & 07777) == 0600, "others can read or write what is kept");
  wait_for(process(&finds), "the second process");
  expect(contents(f) == good, "what is kept was changed");

  // What is damaged is compiled anew, and whole afterwards.
  std::vector<std::string> damaged = {"", good.substr(0, 10), good.substr(0, good.size() - 1), good + "x", std::string(good.size(), 0)};
  for (size_t at : {size_t{0}, size_t{20}, size_t{90}, size_t{148}, good.size() / 2, good.size() - 1}) {
    damaged.push_back(good);
    damaged.back()[at] ^= 1;
  }
  for (size_t i = 0; i < damaged.size(); i++) {
    put(f, damaged[i]);
    wait_for(process(&compiles), "damage " + std::to_string(i));
    wait_for(process(&finds), "after damage " + std::to_string(i));
  }
  wait_for(process(&compiles_what_cuda_refuses), "code that CUDA refuses");

  // So is what others could have put there.
  const fs::path aside = in + "/aside";
  const std::pair<const char *, void (*)(const fs::path &, const fs::path &)> untrusted[] = {
      {"what everybody may write", [](const fs::path &f, const fs::path &) { chmod(f.c_str(), 0602); }},
      {"another user's", [](const fs::path &f, const fs::path &) { expect(chown(f.c_str(), 12345, 12345) == 0, "chown"); }},
      {"a link", [](const fs::path &f, const fs::path &aside) { fs::rename(f, aside), fs::create_symlink(aside, f); }},
      {"a pipe", [](const fs::path &f, const fs::path &) { fs::remove(f), expect(mkfifo(f.c_str(), 0600) == 0, "mkfifo"); }},
  };
  for (const auto &[what, make] : untrusted) {
    if (geteuid() != 0 && std::string(what) == "another user's") continue;  // only root can make one
    make(f, aside);
    wait_for(process(&compiles), what);
    expect(fs::is_regular_file(fs::symlink_status(f)), std::string(what) + " was not replaced");
    wait_for(process(&finds), std::string("after ") + what);
  }
  expect(contents(aside) == good, "where a link led was written");

  // Another program's file under this one's name is none.
  wait_for(process(&other_text), "another text");
  expect(files().size() == 2, "another text's code has no file of its own");
  for (const fs::path &p : files())
    if (p != f) fs::rename(p, f);
  wait_for(process(&compiles), "another's file under this name");
  wait_for(process(&other_header), "another header");
  wait_for(process(&other_gpu), "another GPU");

  // What nobody has used for two months goes, of ours.
  for (const char *name : {"old.kernels", ".old.kernels.1.0", "old"}) {
    const fs::path p = fs::path(folder) / name;
    put(p, "x");
    fs::last_write_time(p, fs::file_time_type::clock::now() - std::chrono::hours(24 * 61));
  }
  fs::last_write_time(f, fs::file_time_type::clock::now() - std::chrono::hours(24 * 61));
  wait_for(process(&finds), "an old one");  // and is no longer
  fs::remove(f);
  put(f, "");
  wait_for(process(&compiles), "beside old ones");
  expect(fs::exists(fs::path(folder) / "old") && fs::exists(f) && files().size() == 4, "other files than old ones have gone, or old ones not: " + std::to_string(files().size()));

  // Several at once.
  fs::remove_all(in + "/a");
  std::vector<int> children;
  for (int i = 0; i < 4; i++) children.push_back(process([] {
    auto l = quick();
    expect(l->ready(gpu(0), asked) && l->report(gpu(0), asked).loaded.not_kept.empty(), "one of several");
  }));
  for (int c : children) wait_for(c, "several at once");
  expect(files().size() == 1 && contents(files()[0]) == good, "several at once leave something else than one");

  // Where nothing can be kept.
  const std::string blocked = in + "/file/a", linked = in + "/link", open = in + "/open", below = open + "/a";
  put(in + "/file", "");
  fs::create_symlink(folder, linked);
  fs::create_directory(open);
  chmod(open.c_str(), 0777);
  for (const std::string &where : {blocked, linked, open, below, std::string("relative")}) {
    folder = where;
    wait_for(process(&keeps_nothing), where);
  }
  fs::remove_all(in + "/a");
  folder = in + "/a";
  fs::create_directory(folder);
  fs::create_directory(fs::path(folder) / f.filename());
  wait_for(process(&keeps_nothing), "a folder in the file's place");
  if (geteuid() == 0) {
    fs::remove_all(folder);
    fs::create_directory(folder);
    expect(chown(folder.c_str(), 12345, 12345) == 0, "chown");
    wait_for(process(&keeps_nothing), "another user's folder");
  }
  folder = "";
  wait_for(process(&compiles), "no folder");
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
    char in[] = "/tmp/kernels-XXXXXX";
    expect(mkdtemp(in), "mkdtemp");
    kept(in);
    fs::remove_all(in);
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
