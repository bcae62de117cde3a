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
  OnTrial(GPUProgram p, bool o) : program(p), ours(o) {}
  GPUProgram program;
  bool ours;
};
const OnTrial *trial() {
  return static_cast<const OnTrial *>(c10::ThreadLocalDebugInfo::get(trial_kind));
}

// To whoever reads libtorch's warnings: training prints them.
void tell(c10::Device d, GPUProgram p, const std::string &why) noexcept {
  try {
    TORCH_WARN(gpu_text()[p].what, " on ", d,
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

bool Launcher::ready(c10::Device d, GPUProgram p) noexcept {
  if (d.index() < 0) return false;
  Known &k = known(d, p);
  int state = k.state.load(std::memory_order_acquire);
  if (state != unknown) return state == yes;
  if (const OnTrial *t = trial()) return t->ours && t->program == p;
  if (!of_.may_wait(d)) return false;
  std::lock_guard<std::mutex> lock(mutex_);
  state = k.state.load(std::memory_order_relaxed);
  if (state != unknown) return state == yes;
  decide(d, p, k.report);
  k.state.store(k.report.ready ? yes : no, std::memory_order_release);
  return k.report.ready;
}

void Launcher::decide(c10::Device d, GPUProgram p, Report &r) noexcept {
  bool loaded = false;
  try {
    r.loaded = of_.load(d, gpu_text(), p);
    loaded = true;
    tried_.clear();
    check_(d, p, *this);
    r.ready = true;
  } catch (...) {
    r.why = why(std::current_exception());
    if (!loaded) r.loaded = of_.failed();
    of_.forget_error();
    tell(d, p, r.why);
  }
}

void Launcher::launch(GPUProgram p, const char *kernel, c10::Device d, Blocks blocks,
                      uint32_t threads, const void *operands, size_t bytes) {
  of_.launch(p, kernel, d, blocks, threads, operands, bytes);
  if (__builtin_expect(known(d, p).state.load(std::memory_order_relaxed) == yes, 1)) return;
  std::lock_guard<std::mutex> lock(tried_mutex_);
  tried_.insert(kernel);
}

Launcher::Trial::Trial(GPUProgram p, bool ours)
    : guard_(trial_kind, std::make_shared<OnTrial>(p, ours)) {}

Launcher::Report Launcher::report(c10::Device d, GPUProgram p) noexcept {
  if (d.index() < 0) return {};
  ready(d, p);
  const Known &k = known(d, p);
  if (k.state.load(std::memory_order_acquire) != unknown) return k.report;
  Report r;
  r.why = "a graph is being captured";
  return r;
}

namespace {

// The folder that was set, for good.
std::string &folder() {
  static auto *f = new std::string;
  return *f;
}

// What is known of several programs together: the first that is in the way, and what all took.
void report(c10::Device d, const std::string &programs, gt_kernels &r) {
  std::string why, log, not_kept, architecture;
  int asked = 0;
  r.ready = true;
  for (int i = 0; i < gpu_programs; i++) {
    const auto p = static_cast<GPUProgram>(i);
    const std::string &name = gpu_text()[p].name;
    if (!programs.empty() && ("," + programs + ",").find("," + name + ",") == std::string::npos)
      continue;
    asked++;
    Launcher::Report known;
    known.why = "there are none for it";
    if (Launcher *l = launcher()) known = l->report(d, p);
    const DeviceKernels::Loaded &l = known.loaded;
    if (!known.ready && r.ready) r.ready = false, why = known.why;
    if (known.ready) ++(l.compiled ? r.compiled : r.found);
    r.seconds += l.seconds, log += l.log;
    if (!l.architecture.empty()) architecture = l.architecture;
    if (!l.not_kept.empty()) not_kept = l.not_kept;
  }
  TORCH_CHECK(asked, "there are no kernels ", programs);
  std::snprintf(r.architecture, sizeof r.architecture, "%s", architecture.c_str());
  r.why = copy(why), r.log = copy(log), r.folder = copy(folder()), r.not_kept = copy(not_kept);
}

}  // namespace
}  // namespace gt

GT_EXPORT gt_r0 gt_set_kernels(void *k, const char *folder) {
  return gt::none([&] {
    if (!k) return;
    static auto *l = [&] {
      auto &kernels = *static_cast<gt::DeviceKernels *>(k);
      kernels.keep_in(gt::folder() = folder ? folder : "");
      return new gt::Launcher(kernels, &gt::check_kernels);
    }();
    gt::the_launcher.store(l, std::memory_order_release);
  });
}

GT_EXPORT gt_kernels gt_get_kernels(gt_device d, const char *programs) {
  return gt::guarded<gt_kernels>([&](gt_kernels &r) { gt::report(gt::device(d), programs, r); });
}
