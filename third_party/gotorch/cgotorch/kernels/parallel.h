// Work that the cores share.
#ifndef CGOTORCH_KERNELS_PARALLEL_H_
#define CGOTORCH_KERNELS_PARALLEL_H_

#include <dlfcn.h>

#include "pch.h"

namespace gt {

// at::parallel_for is a template that runs in parallel only where it is compiled
// with OpenMP, and that would bring a second OpenMP beside libtorch's. So it is
// libtorch's that is asked here, as in scope.cc; without it all is done at once.
struct OpenMP {
  void (*parallel)(void (*)(void *), void *, unsigned, unsigned);
  int (*thread)();
  int (*threads)();

  static const OpenMP &get() {
    static const OpenMP found = [] {
      auto find = [](const char *name) { return dlsym(RTLD_DEFAULT, name); };
      return OpenMP{reinterpret_cast<decltype(parallel)>(find("GOMP_parallel")),
                    reinterpret_cast<decltype(thread)>(find("omp_get_thread_num")),
                    reinterpret_cast<decltype(threads)>(find("omp_get_num_threads"))};
    }();
    return found;
  }
  bool there() const { return parallel && thread && threads; }
};

// Calls f(begin, end, thread) for parts of 0 to n that are no smaller than least,
// on as many threads as the caller may use, which are counted from 0. f throws
// nothing.
template <class F>
void in_parallel(int64_t n, int64_t least, const F &f) {
  if (n < 1) return;
  const OpenMP &omp = OpenMP::get();
  if (n <= least || at::get_num_threads() == 1 || at::in_parallel_region() || !omp.there()) {
    f(int64_t{0}, n, int64_t{0});
    return;
  }
  struct Work {
    int64_t n, least;
    const F &f;
    const OpenMP &omp;
  } work = {n, std::max<int64_t>(1, least), f, omp};
  omp.parallel(
      [](void *p) {
        const Work &w = *static_cast<Work *>(p);
        int64_t threads = std::min<int64_t>(w.omp.threads(), (w.n + w.least - 1) / w.least);
        int64_t each = (w.n + threads - 1) / threads, thread = w.omp.thread();
        if (each * thread < w.n) w.f(each * thread, std::min(w.n, each * (thread + 1)), thread);
      },
      &work, 0, 0);
}

}  // namespace gt

#endif  // CGOTORCH_KERNELS_PARALLEL_H_
