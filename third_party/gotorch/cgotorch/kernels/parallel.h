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

// The sums over the first dimension, in its order, so that the number of threads
// changes no bit, as it does with at::sum. sums: [N,...], float32, contiguous.
inline at::Tensor total(const at::Tensor &sums) {
  at::Tensor all = at::empty(sums.sizes().slice(1), sums.options());
  int64_t rows = sums.size(0), columns = all.numel();
  const float *from = sums.const_data_ptr<float>();
  float *to = all.mutable_data_ptr<float>();
  constexpr int64_t piece = 64;
  in_parallel((columns + piece - 1) / piece, (1 << 14) / (piece * std::max<int64_t>(1, rows)),
              [&](int64_t begin, int64_t end, int64_t) {
                for (int64_t c = begin * piece; c < std::min(columns, end * piece); c += piece) {
                  int64_t n = std::min(piece, columns - c);
                  float s[piece] = {};
                  for (int64_t row = 0; row < rows; row++) {
                    const float *x = from + row * columns + c;
                    if (n == piece)
                      for (int64_t i = 0; i < piece; i++) s[i] += x[i];
                    else
                      for (int64_t i = 0; i < n; i++) s[i] += x[i];
                  }
                  std::copy(s, s + n, to + c);
                }
              });
  return all;
}

}  // namespace gt

#endif  // CGOTORCH_KERNELS_PARALLEL_H_
