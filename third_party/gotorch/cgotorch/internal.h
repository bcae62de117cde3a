// How every exported function is built: operands borrowed from handles, the
// body run inside a try block, results handed out as handles.
#ifndef CGOTORCH_INTERNAL_H_
#define CGOTORCH_INTERNAL_H_

#include <atomic>
#include <cstring>
#include <vector>

#include "pch.h"
#include "types.h"

#define GT_EXPORT extern "C" __attribute__((visibility("default")))

namespace gt {

extern std::atomic<int64_t> handles_made, handles_freed;
// What the binding keeps for a thread: in one piece, because finding it costs.
struct Thread {
  uint32_t scope;  // 0: outside scopes
  bool ready;      // prepare_thread has been here
  int64_t depth;   // how many scopes the thread is in, Outside counted
  int64_t cores;   // that it computes with
  int64_t share;   // the most that scopes inside may compute with; 0: no limit
};
extern constinit thread_local Thread thread;
void set_thread_count(int64_t n);
void prepare_thread();  // gives a thread that is new to libtorch one core
char *message(std::exception_ptr e) noexcept;

// A tensor seen through a handle: no reference is taken or given back.
union Borrowed {
  const at::Tensor t;  // const: a member of a temporary would be moved from
  explicit Borrowed(void *h)
      : t(h ? at::Tensor(c10::intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>::reclaim(
                  static_cast<at::TensorImpl *>(h)))
            : at::Tensor()) {}
  explicit Borrowed(gt_handle h) : Borrowed(reinterpret_cast<void *>(h)) {}
  Borrowed(const Borrowed &) = delete;
  ~Borrowed() {}
  operator const at::Tensor &() const { return t; }
};

inline std::optional<at::Tensor> optional(void *h) {
  if (!h) return std::nullopt;
  return Borrowed(h).t;
}

inline std::optional<at::Tensor> optional(gt_handle h) {
  return optional(reinterpret_cast<void *>(h));
}

inline std::vector<at::Tensor> list(void **h, int64_t n) {
  std::vector<at::Tensor> v;
  v.reserve(n);
  for (int64_t i = 0; i < n; i++) v.push_back(Borrowed(h[i]).t);
  return v;
}

inline at::IntArrayRef ints(const int64_t *p, int64_t n) {
  return at::IntArrayRef(p, static_cast<size_t>(n));
}

inline c10::Device device(gt_device d) {
  return c10::Device(static_cast<c10::DeviceType>(d.kind), d.index);
}

inline at::TensorOptions options(gt_options o) {
  return at::TensorOptions()
      .dtype(static_cast<at::ScalarType>(o.dtype))
      .device(device(o.device))
      .pinned_memory(o.pinned);
}

inline at::ScalarType dtype(int8_t d) { return static_cast<at::ScalarType>(d); }

inline std::optional<at::Generator> generator(void *g) {
  if (!g) return std::nullopt;
  return *static_cast<at::Generator *>(g);
}

inline void *give(at::Tensor t) {
  handles_made.fetch_add(1, std::memory_order_relaxed);
  return t.unsafeReleaseTensorImpl();
}

inline Thread &ready() {
  Thread &t = thread;
  if (__builtin_expect(!t.ready, 0)) prepare_thread();
  return t;
}

template <class R, class F>
R guarded(F &&body) {
  R r;
  std::memset(&r, 0, sizeof r);
  try {
    Thread &t = ready();
    if constexpr (requires { r.scope; }) r.scope = t.scope;
    body(r);
  } catch (...) {
    r.err = message(std::current_exception());
  }
  return r;
}

template <class F>
gt_r0 none(F &&f) {
  return guarded<gt_r0>([&](gt_r0 &) { f(); });
}
template <class F>
gt_r1 one(F &&f) {
  return guarded<gt_r1>([&](gt_r1 &r) { r.t[0] = give(f()); });
}
template <class F>
gt_r2 two(F &&f) {
  return guarded<gt_r2>([&](gt_r2 &r) {
    auto t = f();
    r.t[0] = give(std::move(std::get<0>(t)));
    r.t[1] = give(std::move(std::get<1>(t)));
  });
}
template <class F>
gt_r3 three(F &&f) {
  return guarded<gt_r3>([&](gt_r3 &r) {
    auto t = f();
    r.t[0] = give(std::move(std::get<0>(t)));
    r.t[1] = give(std::move(std::get<1>(t)));
    r.t[2] = give(std::move(std::get<2>(t)));
  });
}
template <class F>
gt_rl many(F &&f) {
  return guarded<gt_rl>([&](gt_rl &r) {
    auto v = f();
    r.t = static_cast<void **>(std::malloc(sizeof(void *) * (v.size() + 1)));
    if (!r.t) throw std::bad_alloc();
    r.n = static_cast<int64_t>(v.size());
    for (size_t i = 0; i < v.size(); i++) r.t[i] = give(std::move(v[i]));
  });
}
template <class F>
gt_ri integer(F &&f) {
  return guarded<gt_ri>([&](gt_ri &r) { r.v = f(); });
}
template <class F>
gt_rf real(F &&f) {
  return guarded<gt_rf>([&](gt_rf &r) { r.v = f(); });
}
template <class F>
gt_rb truth(F &&f) {
  return guarded<gt_rb>([&](gt_rb &r) { r.v = f(); });
}
template <class F>
gt_rp pointer(F &&f) {
  return guarded<gt_rp>([&](gt_rp &r) { r.p = f(); });
}
template <class F>
gt_rs text(F &&f) {
  return guarded<gt_rs>([&](gt_rs &r) {
    std::string s = f();
    r.s = strdup(s.c_str());
    if (!r.s) throw std::bad_alloc();
  });
}

}  // namespace gt

#endif  // CGOTORCH_INTERNAL_H_
