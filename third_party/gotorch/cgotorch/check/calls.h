// What programs that call the C++ part without Go need.
#ifndef CGOTORCH_CHECK_CALLS_H_
#define CGOTORCH_CHECK_CALLS_H_

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "core.h"
#include "ops_gen.h"

#define DECLARE(ret, name, params, args) extern "C" ret name params;
GT_CORE(DECLARE)
GT_OPS(DECLARE)

namespace {

std::atomic<int> failures{0};

template <class R>
R good(R r) {
  if (r.err) {
    std::fprintf(stderr, "unexpected: %s\n", r.err);
    std::free(r.err);
    r.err = nullptr;
    failures++;
  }
  return r;
}

template <class R>
void bad(R r) {
  if (!r.err) {
    std::fprintf(stderr, "an error was expected\n");
    failures++;
  }
  std::free(r.err);
}

void drop(void *h) { gt_close(reinterpret_cast<gt_handle>(h)); }

void drop_all(void **h, int64_t n) { good(gt_free(reinterpret_cast<gt_handle *>(h), n)); }

void *made(gt_r1 r) { return good(r).t[0]; }

gt_options floats() {
  gt_options o{};
  o.dtype = 6;
  return o;
}

gt_handle n(void *h) { return reinterpret_cast<gt_handle>(h); }

void *filled(std::vector<int64_t> shape, double v, bool grad) {
  void *t = made(gt_op_opFull(shape.data(), static_cast<int64_t>(shape.size()), v, floats()));
  good(gt_set_requires_grad(t, grad));
  return t;
}

}  // namespace

#endif  // CGOTORCH_CHECK_CALLS_H_
