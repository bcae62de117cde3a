// The library as a whole: allocator, threads, warnings, errors.
#include <dlfcn.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <set>
#include <sstream>

#include "allocator.h"
#include "core.h"
#include "internal.h"
#include "message.h"

namespace gt {

std::atomic<int64_t> handles_made{0}, handles_freed{0};
constinit thread_local Thread thread{0, false, 0, 1, 0};

namespace {

std::atomic<bool> show_trace{false};

// Collects libtorch's warnings, each text once, until they are taken.
class Collector : public c10::WarningHandler {
 public:
  void process(const c10::Warning &w) override {
    std::lock_guard<std::mutex> lock(mu_);
    if (seen_.size() < 256 && seen_.insert(w.msg()).second) fresh_.push_back(w.msg());
  }
  std::string take() {
    std::lock_guard<std::mutex> lock(mu_);
    std::string all;
    for (auto &s : fresh_) all += s + '\n';
    fresh_.clear();
    return all;
  }

 private:
  std::mutex mu_;
  std::set<std::string> seen_;
  std::vector<std::string> fresh_;
};

Collector &collector() {
  static Collector *c = new Collector;  // never destroyed: threads may outlive main
  return *c;
}

using OmpSet = void (*)(int);
OmpSet omp_set() {
  static OmpSet f = reinterpret_cast<OmpSet>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
  return f;
}

// The matrix library obeys a number of its own before OpenMP's.
using MklSet = int (*)(int);
MklSet mkl_set() {
  static MklSet f = reinterpret_cast<MklSet>(dlsym(RTLD_DEFAULT, "MKL_Set_Num_Threads_Local"));
  return f;
}

}  // namespace

char *message(std::exception_ptr e) noexcept { return message(std::move(e), show_trace); }

// An exception in a destructor reaches no caller: memory that is given back after
// a GPU has failed may throw there. Go would print the stacks of all goroutines.
[[noreturn]] static void give_up() {
  const char *what = "unknown";
  char *text = nullptr;
  if (auto e = std::current_exception()) text = message(e, show_trace);
  if (text) what = text + 1;
  std::fprintf(stderr, "libtorch failed where it cannot go on: %.*s\n",
               static_cast<int>(std::strcspn(what, "\n")), what);
  _exit(1);
}

// libgomp keeps a pool for every thread that computes in parallel, so a
// thread gets one core until a scope asks for more (scope.cc). The warning
// handler too is the thread's.
void prepare_thread() {
  thread.ready = true;
  c10::WarningUtils::set_warning_handler(&collector());
  at::get_num_threads();  // libtorch's own first-use set-up of this thread
  if (auto set = omp_set()) set(1);
  if (auto set = mkl_set()) set(1);
}

void set_thread_count(int64_t n) {
  if (n == thread.cores) return;
  if (auto set = omp_set()) set(static_cast<int>(n));
  if (auto set = mkl_set()) set(static_cast<int>(n));
  thread.cores = n;
}

}  // namespace gt

// Called once, right after loading and before any tensor exists.
GT_EXPORT gt_rs gt_setup(bool cache_blocks) {
  return gt::text([&] {
    if (cache_blocks) gt::install_block_cache();
    std::set_terminate(gt::give_up);
    // cuDNN's attention, which libtorch prefers on an H100, makes a plan for each shape
    // that it meets, and fails where it finds none. libtorch's own kernels do neither.
    at::globalContext().setSDPUseCuDNN(false);
    // Tries all of cuDNN's ways of a convolution when one of its shape first comes, and takes
    // the fastest.
    if (const char *v = std::getenv("GOTORCH_CUDNN_BENCHMARK"); v && !std::strcmp(v, "1"))
      at::globalContext().setBenchmarkCuDNN(true);
    // oneDNN's scratch memory comes from malloc: keep large blocks there too.
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    return std::string(TORCH_VERSION);
  });
}

GT_EXPORT gt_rs gt_build_info() {
  return gt::text([] { return at::show_config(); });
}

GT_EXPORT gt_rs gt_take_warnings() {
  return gt::text([] { return gt::collector().take(); });
}

GT_EXPORT gt_r0 gt_trace(bool on) {
  return gt::none([&] { gt::show_trace = on; });
}

// The number of cores for threads inside scopes. The matrix library keeps a
// number of its own for the whole process, which this sets too.
GT_EXPORT gt_r0 gt_set_threads(int64_t n) {
  return gt::none([&] {
    at::set_num_threads(static_cast<int>(n));
    if (auto set = gt::mkl_set()) set(static_cast<int>(n));
    gt::thread.cores = n;
    if (!gt::thread.depth) gt::set_thread_count(1);
  });
}

GT_EXPORT gt_ri gt_get_threads() {
  return gt::integer([] { return at::get_num_threads(); });
}

GT_EXPORT gt_stats gt_get_stats() {
  gt_stats s{};
  s.handles_made = gt::handles_made.load();
  s.handles_freed = gt::handles_freed.load();
  gt::block_stats(&s);
  return s;
}

GT_EXPORT gt_rp gt_bytes_used() {
  return gt::pointer([] { return gt::bytes_used(); });
}

GT_EXPORT gt_r0 gt_reset_peak() {
  return gt::none([] { gt::reset_peak(); });
}

GT_EXPORT gt_r0 gt_empty_cache() {
  return gt::none([] {
    gt::release_blocks();
    malloc_trim(0);
  });
}

GT_EXPORT gt_r0 gt_fail_allocations(int64_t n, int64_t count) {
  return gt::none([&] { gt::fail_allocations(n, count); });
}

GT_EXPORT gt_r0 gt_set_memory_limit(int64_t bytes) {
  return gt::none([&] { gt::set_memory_limit(bytes); });
}

// How products of float32 are computed: 0 highest, 1 high, 2 medium, as
// torch.set_float32_matmul_precision has it; -1 leaves it. Bits 8 to 15 and 16 to
// 17, where they are not 0, are that of processors, which AllowTF32 does not
// touch, and of convolutions on a GPU (1: float32, 2: TF32). Returns what it was.
GT_EXPORT gt_ri gt_matmul_precision(int64_t mode) {
  return gt::integer([&]() -> int64_t {
    using at::Float32Backend;
    using at::Float32Op;
    auto &c = at::globalContext();
    const int64_t before =
        static_cast<int64_t>(c.float32MatmulPrecision()) |
        (1 + static_cast<int64_t>(c.float32Precision(Float32Backend::MKLDNN, Float32Op::MATMUL)))
            << 8 |
        (c.allowTF32CuDNN(Float32Op::CONV) ? 2 : 1) << 16;
    if (mode < 0) return before;
    static const char *const names[] = {"highest", "high", "medium"};
    TORCH_CHECK((mode & 255) < 3, "there is no such precision");
    c.setFloat32MatmulPrecision(names[mode & 255]);
    if (const auto cpu = mode >> 8 & 255)
      c.setFloat32Precision(Float32Backend::MKLDNN, Float32Op::MATMUL,
                            static_cast<at::Float32Precision>(cpu - 1));
    if (const auto convolutions = mode >> 16) c.setAllowTF32CuDNN(convolutions == 2);
    return before;
  });
}

// A destructor that throws, for a test.
GT_EXPORT gt_r0 gt_throw_in_destructor() {
  return gt::none([] {
    float number = 0;
    at::from_blob(&number, {1}, [](void *) { TORCH_CHECK(false, "planted\nin two lines"); });
  });
}

// Where libtorch has a deterministic implementation it is used; where it has
// none a warning says so. New tensors are not filled for it: that would cost,
// and none is read before it is written.
GT_EXPORT gt_r0 gt_deterministic(bool on) {
  return gt::none([&] {
    auto &c = at::globalContext();
    c.setDeterministicAlgorithms(on, /*warn_only=*/true);
    c.setDeterministicFillUninitializedMemory(false);
    c.setDeterministicCuDNN(on);
    if (on) c.setBenchmarkCuDNN(false);
  });
}
