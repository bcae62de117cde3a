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

// 0: a question to a tensor; 1: a 1x1 add, its result freed at once; 2 and 3:
// 256 linear layers of 64 x 64 for one row, or 256 adds, all results kept until
// the end. Returns nanoseconds for one iteration.
GT_EXPORT gt_rf gt_bench(int64_t what, int64_t n) {
  return gt::real([&] {
    at::NoGradGuard guard;
    auto a = at::ones({1, 1}), b = at::ones({1, 1});
    auto x = at::ones({1, 64}), w = at::ones({64, 64}), bias = at::ones({64});
    std::vector<at::Tensor> kept;
    kept.reserve(256);
    volatile int64_t sink = 0;
    std::function<void()> body;
    switch (what) {
      case 0:
        body = [&] { sink = sink + a.dim(); };
        break;
      case 1:
        body = [&] { sink = sink + at::add(a, b).defined(); };
        break;
      default:
        body = [&] {
          for (int i = 0; i < 256; i++)
            kept.push_back(what == 2 ? at::linear(x, w, bias) : at::add(a, b));
          kept.clear();
        };
    }
    return 1e9 * seconds(n, body) / static_cast<double>(n);
  });
}
