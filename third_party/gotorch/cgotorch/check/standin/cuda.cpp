// What libtorch and the binding ask of a GPU beside operations: devices, streams, events,
// graphs. The binding's questions are those of cuda.cc.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/detail/HPUHooksInterface.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <chrono>
#include <map>
#include <mutex>

#include "core.h"
#include "internal.h"
#include "message.h"
#include "standin.h"

namespace gt {
std::atomic<int64_t> handles_made{0}, handles_freed{0};
constinit thread_local Thread thread{0, true, 0, 1, 0};
void prepare_thread() {}
char *message(std::exception_ptr e) noexcept { return message(std::move(e), false); }
}  // namespace gt

namespace standin {
namespace {

thread_local int device = 0;
thread_local int64_t stream_of[devices] = {};
std::atomic<Tape *> tape{nullptr};
std::atomic<int64_t> streams{0};

struct Guard final : c10::impl::DeviceGuardImplInterface {
  c10::DeviceType type() const override { return kind; }
  c10::Device exchangeDevice(c10::Device d) const override { return at(set_device(d.index())); }
  c10::Device getDevice() const override { return at(device); }
  void setDevice(c10::Device d) const override { set_device(d.index()); }
  void uncheckedSetDevice(c10::Device d) const noexcept override { device = d.index(); }
  c10::Stream getStream(c10::Device d) const override {
    return c10::Stream(c10::Stream::UNSAFE, d, stream_of[d.index()]);
  }
  c10::Stream getDefaultStream(c10::Device d) const override {
    return c10::Stream(c10::Stream::UNSAFE, d, 0);
  }
  c10::Stream exchangeStream(c10::Stream s) const override {
    return c10::Stream(c10::Stream::UNSAFE, s.device(), set_stream(s.device_index(), s.id()));
  }
  c10::DeviceIndex deviceCount() const noexcept override { return devices; }
  // What was asked for is done.
  void record(void **, const c10::Stream &, c10::DeviceIndex, c10::EventFlag) const override {}
  void block(void *, const c10::Stream &) const override {}
  bool queryEvent(void *) const override { return true; }
  bool queryStream(const c10::Stream &) const override { return true; }
  void synchronizeStream(const c10::Stream &) const override { waits("a stream"); }
  void synchronizeEvent(void *) const override { waits("an event"); }
  void synchronizeDevice(c10::DeviceIndex) const override { waits("the device"); }

 private:
  static c10::Device at(int d) { return {kind, static_cast<c10::DeviceIndex>(d)}; }
};
C10_REGISTER_GUARD_IMPL(HPU, Guard)

struct Hooks final : at::HPUHooksInterface {
  explicit Hooks(at::HPUHooksArgs) {}
  void init() const override {}
  bool hasHPU() const override { return true; }
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return devices; }
  void setCurrentDevice(c10::DeviceIndex d) const override { set_device(d); }
  c10::DeviceIndex getCurrentDevice() const override {
    return static_cast<c10::DeviceIndex>(device);
  }
  c10::DeviceIndex exchangeDevice(c10::DeviceIndex d) const override {
    return static_cast<c10::DeviceIndex>(set_device(d));
  }
  c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex d) const override {
    return exchangeDevice(d);
  }
  bool isPinnedPtr(const void *p) const override { return is_page_locked(p); }
  c10::Allocator *getPinnedMemoryAllocator() const override { return page_locked(); }
  // The processor's: its operations draw from no others.
  const at::Generator &getDefaultGenerator(c10::DeviceIndex) const override {
    return at::detail::getDefaultCPUGenerator();
  }
};
}  // namespace
}  // namespace standin

namespace at {
using HPUHooks = standin::Hooks;
REGISTER_HPU_HOOKS(HPUHooks)
}  // namespace at

namespace standin {
namespace {

[[maybe_unused]] const bool installed = (install_memory(), true);

void check_device(int64_t d) {
  TORCH_CHECK(d >= 0 && d < devices, "CUDA error: invalid device ordinal");
}

struct Stream {
  int device;
  int64_t id;
};
// One for each, kept for ever.
Stream *handle_of(int d, int64_t id) {
  static std::mutex mu;
  static auto *known = new std::map<std::pair<int, int64_t>, Stream *>;
  std::lock_guard<std::mutex> lock(mu);
  auto &h = (*known)[{d, id}];
  if (!h) h = new Stream{d, id};
  return h;
}
Stream &stream(void *s) { return *static_cast<Stream *>(s); }

struct Event {
  std::chrono::steady_clock::time_point at;
};
Event &event(void *e) { return *static_cast<Event *>(e); }

struct Graph {
  Tape tape;
  bool whole = false;
};
Graph &graph(void *g) { return *static_cast<Graph *>(g); }

void allocated(int64_t d, gt_cuda_info &r) {
  check_device(d);
  Usage u = usage(static_cast<int>(d));
  r.allocated = u.used, r.allocated_peak = u.peak, r.reserved = u.reserved;
  r.total = u.total, r.free = u.total - u.reserved;
}

}  // namespace

int current_device() { return device; }
int set_device(int d) {
  check_device(d);
  return std::exchange(device, d);
}
int64_t current_stream(int d) { return stream_of[d]; }
int64_t set_stream(int d, int64_t id) { return std::exchange(stream_of[d], id); }
Tape *recording() { return tape; }

}  // namespace standin

using namespace standin;

GT_EXPORT gt_ri gt_cuda_device_count() {
  return gt::integer([] { return devices; });
}
GT_EXPORT gt_cuda_info gt_cuda_device_info(int64_t d) {
  return gt::guarded<gt_cuda_info>([&](gt_cuda_info &r) {
    std::snprintf(r.name, sizeof r.name, "stand-in");
    r.major = 9;
    allocated(d, r);
  });
}
GT_EXPORT gt_cuda_info gt_cuda_memory(int64_t d) {
  return gt::guarded<gt_cuda_info>([&](gt_cuda_info &r) { allocated(d, r); });
}
GT_EXPORT gt_r0 gt_cuda_synchronize(int64_t) {
  return gt::none([] { waits("the device"); });
}
GT_EXPORT gt_r0 gt_cuda_empty_cache() {
  return gt::none([] {
    if (Tape *t = recording()) t->broken = true;
    forget_kept();
  });
}
GT_EXPORT gt_r0 gt_cuda_reset_peak(int64_t d) {
  return gt::none([&] {
    check_device(d);
    reset_peak(static_cast<int>(d));
  });
}
GT_EXPORT gt_rb gt_cuda_has_cudnn() {
  return gt::truth([] { return false; });
}
GT_EXPORT gt_r0 gt_cuda_trace(bool) {
  return gt::none([] {});
}
GT_EXPORT gt_rp gt_cuda_stream_new(int64_t d) {
  return gt::pointer([&] {
    check_device(d);
    return handle_of(static_cast<int>(d), ++streams);
  });
}
GT_EXPORT gt_rp gt_cuda_stream_current(int64_t d) {
  return gt::pointer([&] {
    check_device(d);
    return handle_of(static_cast<int>(d), stream_of[d]);
  });
}
GT_EXPORT gt_r0 gt_cuda_stream_set(void *s) {
  return gt::none([&] {
    set_device(stream(s).device);
    set_stream(stream(s).device, stream(s).id);
  });
}
GT_EXPORT gt_ri gt_cuda_stream_device(void *s) {
  return gt::integer([&] { return stream(s).device; });
}
GT_EXPORT gt_ri gt_cuda_device() {
  return gt::integer([] { return device; });
}
GT_EXPORT gt_r0 gt_cuda_set_device(int64_t d) {
  return gt::none([&] { set_device(static_cast<int>(d)); });
}
GT_EXPORT gt_r0 gt_cuda_stream_synchronize(void *) {
  return gt::none([] { waits("a stream"); });
}
GT_EXPORT gt_rb gt_cuda_stream_query(void *) {
  return gt::truth([] { return true; });
}
GT_EXPORT gt_r0 gt_cuda_stream_wait(void *, void *) {
  return gt::none([] {});
}

GT_EXPORT gt_rp gt_cuda_event_new(bool) {
  return gt::pointer([] { return new Event{}; });
}
GT_EXPORT gt_r0 gt_cuda_event_record(void *e, void *) {
  return gt::none([&] { event(e).at = std::chrono::steady_clock::now(); });
}
GT_EXPORT gt_r0 gt_cuda_event_synchronize(void *) {
  return gt::none([] { waits("an event"); });
}
GT_EXPORT gt_rf gt_cuda_event_elapsed(void *a, void *b) {
  return gt::real(
      [&] { return std::chrono::duration<double, std::milli>(event(b).at - event(a).at).count(); });
}
GT_EXPORT gt_r0 gt_cuda_event_free(void *e) {
  return gt::none([&] { delete &event(e); });
}

GT_EXPORT gt_rp gt_cuda_graph_new() {
  return gt::pointer([] { return new Graph; });
}
GT_EXPORT gt_r0 gt_cuda_graph_register(void *g, void *generator) {
  return gt::none([&] {
    TORCH_CHECK(!recording(), "a generator is registered while a graph is captured");
    graph(g).tape.generators.insert(
        static_cast<at::Generator *>(generator)->unsafeGetGeneratorImpl());
  });
}
GT_EXPORT gt_r0 gt_cuda_graph_begin(void *g) {
  return gt::none([&] {
    TORCH_CHECK(!recording(), "a graph is captured already");
    TORCH_CHECK(stream_of[device], "CUDA graphs must be captured on a non-default stream.");
    graph(g).tape.device = device, graph(g).tape.stream = stream_of[device];
    tape = &graph(g).tape;
  });
}
GT_EXPORT gt_r0 gt_cuda_graph_end(void *g) {
  return gt::none([&] {
    tape = nullptr;
    TORCH_CHECK(!graph(g).tape.broken,
                "CUDA error: operation failed due to a previous error during capture");
    graph(g).whole = true;
  });
}
GT_EXPORT gt_r0 gt_cuda_graph_abandon(void *g) {
  return gt::none([&] {
    tape = nullptr;
    graph(g).tape.work.clear();
  });
}
GT_EXPORT gt_r0 gt_cuda_graph_replay(void *g) {
  return gt::none([&] {
    TORCH_CHECK(graph(g).whole && !recording(), "nothing was captured");
    for (auto &f : graph(g).tape.work) f();
  });
}
GT_EXPORT gt_ri gt_cuda_graph_nodes(void *g, bool) {
  return gt::integer([&] { return static_cast<int64_t>(graph(g).tape.work.size()); });
}
GT_EXPORT gt_r0 gt_cuda_graph_free(void *g) {
  return gt::none([&] { delete &graph(g); });
}
GT_EXPORT gt_r0 gt_cuda_forbid_waits(bool on) {
  return gt::none([&] { forbid_waits(on); });
}
GT_EXPORT gt_rp gt_cuda_kernels() {
  return gt::pointer([] { return processor(); });
}
