// Which operations run, how often, and for how long.
#include <ATen/record_function.h>

#include <chrono>
#include <map>
#include <mutex>

#include "core.h"
#include "internal.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Total {
  int64_t calls = 0;
  Clock::duration time{};
};
std::mutex mutex;
std::map<std::string, Total> totals;
at::CallbackHandle handle;
bool on = false;

// An operation that runs. inside is the time of those that it calls.
struct Running : at::ObserverContext {
  Running *caller;
  Clock::time_point start;
  Clock::duration inside{};
};
thread_local Running *innermost = nullptr;

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction &) {
  auto r = std::make_unique<Running>();
  r->caller = innermost;
  innermost = r.get();
  r->start = Clock::now();
  return r;
}

void end(const at::RecordFunction &f, at::ObserverContext *context) {
  auto *r = static_cast<Running *>(context);
  auto time = Clock::now() - r->start;
  innermost = r->caller;
  if (innermost) innermost->inside += time;
  std::lock_guard<std::mutex> lock(mutex);
  Total &t = totals[f.name()];
  t.calls++, t.time += time - r->inside;
}

}  // namespace

GT_EXPORT gt_r0 gt_profile_start() {
  return gt::none([&] {
    std::lock_guard<std::mutex> lock(mutex);
    TORCH_CHECK(!on, "a profile is being made already");
    totals.clear();
    handle = at::addGlobalCallback(
        at::RecordFunctionCallback(begin, end)
            .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
    on = true;
  });
}

// A line for each name: calls, nanoseconds, name.
GT_EXPORT gt_rs gt_profile_stop() {
  return gt::text([&] {
    at::removeCallback(handle);
    std::lock_guard<std::mutex> lock(mutex);
    on = false;
    std::string all;
    for (const auto &[name, t] : totals)
      all += std::to_string(t.calls) + " " +
             std::to_string(std::chrono::nanoseconds(t.time).count()) + " " + name + "\n";
    return all;
  });
}
