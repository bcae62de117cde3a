// Scopes and the end of handles. The scope is a property of the thread: Go
// locks its goroutine to the thread for as long as it is in one.
#include "internal.h"

#include "core.h"

namespace gt {
thread_local uint32_t scope = 0;
void set_thread_count(int64_t n);
}  // namespace gt

// Enters scope id and returns the one that it lies in. The outermost scope
// gives the thread its cores.
GT_EXPORT gt_ri gt_scope_enter(int64_t id, int64_t threads) {
  return gt::integer([&]() -> int64_t {
    int64_t previous = gt::scope;
    if (threads > 0) gt::set_thread_count(threads);
    gt::scope = static_cast<uint32_t>(id);
    return previous;
  });
}

GT_EXPORT gt_r0 gt_scope_leave(int64_t id, int64_t threads) {
  return gt::none([&] {
    gt::scope = static_cast<uint32_t>(id);
    if (threads > 0) gt::set_thread_count(threads);
  });
}

GT_EXPORT gt_ri gt_scope_current() {
  return gt::integer([] { return static_cast<int64_t>(gt::scope); });
}

// Gives back the references of n handles; NULLs are passed over.
GT_EXPORT gt_r0 gt_free(void **h, int64_t n) {
  return gt::none([&] {
    int64_t freed = 0;
    for (int64_t i = 0; i < n; i++) {
      if (!h[i]) continue;
      freed++;
      c10::intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>::reclaim(
          static_cast<at::TensorImpl *>(h[i]));
    }
    gt::handles_freed.fetch_add(freed, std::memory_order_relaxed);
  });
}
