#include "launcher.h"

#include "core.h"
#include "internal.h"

namespace gt {
namespace {

std::atomic<Launcher *> the_launcher{nullptr};

std::string why(const std::exception_ptr &e) {
  char *text = message(e);
  std::string s(text + 1, std::strcspn(text + 1, "\n"));
  if (*text != 'm') std::free(text);
  return s;
}

// Autograd hands it on to the threads that compute gradients.
constexpr auto trial_kind = c10::DebugInfoKind::TEST_INFO;
struct OnTrial final : c10::DebugInfoBase {
  explicit OnTrial(bool o) : ours(o) {}
  bool ours;
};
const OnTrial *trial() {
  return static_cast<const OnTrial *>(c10::ThreadLocalDebugInfo::get(trial_kind));
}

// To whoever reads libtorch's warnings: training prints them.
void tell(c10::Device d, const std::string &why) noexcept {
  try {
    TORCH_WARN("GroupNorm on ", d,
               " is computed by libtorch's operations, which are slower: ", why);
  } catch (...) {
  }
}

char *copy(const std::string &s) {
  char *c = strdup(s.c_str());
  if (!c) throw std::bad_alloc();
  return c;
}

}  // namespace

Launcher *launcher() { return the_launcher.load(std::memory_order_acquire); }

bool Launcher::ready(c10::Device d) noexcept {
  const int i = d.index();
  if (i < 0) return false;
  Known &k = of_device_[i];
  int state = k.state.load(std::memory_order_acquire);
  if (state != unknown) return state == yes;
  if (const OnTrial *t = trial()) return t->ours;
  if (!of_.may_wait(d)) return false;
  std::lock_guard<std::mutex> lock(mutex_);
  state = k.state.load(std::memory_order_relaxed);
  if (state != unknown) return state == yes;
  decide(d, k.report);
  k.state.store(k.report.ready ? yes : no, std::memory_order_release);
  return k.report.ready;
}

void Launcher::decide(c10::Device d, Report &r) noexcept {
  bool loaded = false;
  try {
    r.loaded = of_.load(d, gpu_text());
    loaded = true;
    tried_.clear();
    check_(d, *this);
    r.ready = true;
  } catch (...) {
    r.why = why(std::current_exception());
    if (!loaded) r.loaded = of_.failed();
    of_.forget_error();
    tell(d, r.why);
  }
}

void Launcher::launch(const char *kernel, c10::Device d, Blocks blocks, uint32_t threads,
                      const void *operands, size_t bytes) {
  of_.launch(kernel, d, blocks, threads, operands, bytes);
  if (__builtin_expect(of_device_.at(d.index()).state.load(std::memory_order_relaxed) == yes, 1))
    return;
  std::lock_guard<std::mutex> lock(tried_mutex_);
  tried_.insert(kernel);
}

Launcher::Trial::Trial(bool ours) : guard_(trial_kind, std::make_shared<OnTrial>(ours)) {}

Launcher::Report Launcher::report(c10::Device d) noexcept {
  if (d.index() < 0) return {};
  ready(d);
  const Known &k = of_device_[d.index()];
  if (k.state.load(std::memory_order_acquire) != unknown) return k.report;
  Report r;
  r.why = "a graph is being captured";
  return r;
}

}  // namespace gt

GT_EXPORT gt_r0 gt_set_kernels(void *k) {
  return gt::none([&] {
    if (!k) return;
    static auto *l = new gt::Launcher(*static_cast<gt::DeviceKernels *>(k), &gt::check_kernels);
    gt::the_launcher.store(l, std::memory_order_release);
  });
}

GT_EXPORT gt_kernels gt_get_kernels(gt_device d) {
  return gt::guarded<gt_kernels>([&](gt_kernels &r) {
    gt::Launcher *l = gt::launcher();
    gt::Launcher::Report known;
    known.why = "there are none for it";
    if (l) known = l->report(gt::device(d));
    r.ready = known.ready;
    r.seconds = known.loaded.seconds;
    std::snprintf(r.architecture, sizeof r.architecture, "%s", known.loaded.architecture.c_str());
    r.why = gt::copy(known.why);
    r.log = gt::copy(known.loaded.log);
  });
}
