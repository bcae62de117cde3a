// Scopes and the end of handles. The scope is a property of the thread: Go
// locks its goroutine to the thread for as long as it is in one.
#include <utility>

#include "core.h"
#include "internal.h"

// Enters scope id, whose code computes with so many cores (0: as before), and
// returns what gt_scope_leave needs: the scope that it lies in in the lower
// half, the cores that were used there in the upper half.
GT_EXPORT gt_ri gt_scope_enter(int64_t id, int64_t threads) {
  return gt::integer([&]() -> int64_t {
    int64_t before = gt::thread.scope | gt::thread.cores << 32;
    if (gt::thread.share && threads > gt::thread.share) threads = gt::thread.share;
    if (threads > 0) gt::set_thread_count(threads);
    gt::thread.scope = static_cast<uint32_t>(id);
    gt::thread.depth++;
    return before;
  });
}

GT_EXPORT gt_r0 gt_scope_leave(int64_t before) {
  return gt::none([&] {
    gt::thread.depth--;
    gt::thread.scope = static_cast<uint32_t>(before);
    gt::set_thread_count(before >> 32);
  });
}

// Scopes that the thread enters from here on compute with n cores at most; 0: with
// all. Returns what it was.
GT_EXPORT gt_ri gt_share(int64_t n) {
  return gt::integer([&] { return std::exchange(gt::thread.share, n); });
}

GT_EXPORT gt_ri gt_scope_current() {
  return gt::integer([] { return static_cast<int64_t>(gt::thread.scope); });
}

namespace {

void give_back(gt_handle h) {
  c10::intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>::reclaim(
      reinterpret_cast<at::TensorImpl *>(h));
}

}  // namespace

// Gives back the references of n handles; zeros are passed over.
GT_EXPORT gt_r0 gt_free(gt_handle *h, int64_t n) {
  return gt::none([&] {
    int64_t freed = 0;
    for (int64_t i = 0; i < n; i++) {
      if (!h[i]) continue;
      freed++;
      give_back(h[i]);
    }
    gt::handles_freed.fetch_add(freed, std::memory_order_relaxed);
  });
}

// The same for one handle; nothing in it throws.
GT_EXPORT void gt_close(gt_handle h) {
  give_back(h);
  gt::handles_freed.fetch_add(1, std::memory_order_relaxed);
}
