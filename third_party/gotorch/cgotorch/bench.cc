// The loops of bench_test.go in C++: what libtorch takes without the binding.
#include <chrono>
#include <functional>

#include "core.h"
#include "internal.h"

namespace {

double seconds(int64_t n, const std::function<void()> &body) {
  auto start = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < n; i++) body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

// 0: a question to x; 1: x + w, freed at once; 2 and 3: 256 linear layers of x,
// weight w and bias b, or 256 times x + w, all results kept until the end.
// Returns nanoseconds for one iteration. The tensors are the caller's, so that
// both sides compute on the same memory: where it lies matters.
GT_EXPORT gt_rf gt_bench(int64_t what, int64_t n, gt_handle x_, gt_handle w_, gt_handle b_) {
  return gt::real([&] {
    at::NoGradGuard guard;
    gt::Borrowed x__(x_), w__(w_), b__(b_);
    const at::Tensor &x = x__, &w = w__, &b = b__;
    std::vector<at::Tensor> kept;
    kept.reserve(256);
    volatile int64_t sink = 0;
    std::function<void()> body;
    switch (what) {
      case 0:
        body = [&] { sink = sink + x.dim(); };
        break;
      case 1:
        body = [&] { sink = sink + at::add(x, w).defined(); };
        break;
      default:
        body = [&] {
          for (int i = 0; i < 256; i++)
            kept.push_back(what == 2 ? at::linear(x, w, b) : at::add(x, w));
          kept.clear();
        };
    }
    return 1e9 * seconds(n, body) / static_cast<double>(n);
  });
}
