// A program without Go that uses every kind of function of the C++ part and
// gives back what it got: valgrind says whether the part itself loses memory.
// sanitize.sh --valgrind builds and runs it. (A .cpp: scripts/build compiles
// .cc files only.)
#include "calls.h"

namespace {

void step(void *w, void *m, void *v, void *average, void *count, void *optimizer) {
  void *x = filled({8, 3}, 0.5, false);
  void *y = made(gt_op_RawLinear(n(x), n(w), 0));
  void *z = made(gt_op_Square(n(y)));
  void *loss = made(gt_op_opMean(n(z)));
  good(gt_zero_grad(&w, 1));
  good(gt_backward(loss, nullptr));
  void *norm = made(gt_grad_norm(&w, 1));
  good(gt_scale_grads(&w, 1, norm));
  good(gt_adamw(&w, &m, &v, 1, count, 0.01, nullptr, 0.9, 0.999, 1e-8, 0.01, nullptr, nullptr,
                &average, 0.5));
  good(gt_optimizer_step(optimizer));
  void *made_by_it[] = {x, y, z, loss, norm};
  drop_all(made_by_it, 5);
}

void errors() {
  void *a = filled({2, 3}, 1, false);
  bad(gt_op_opMM(n(a), n(a)));
  bad(gt_backward(a, nullptr));
  bad(gt_item(a));
  int64_t shape[] = {4};
  bad(gt_op_opView(n(a), shape, 1));
  good(gt_fail_allocations(1, 1));
  bad(gt_op_Clone(n(a)));
  good(gt_fail_allocations(0, 0));
  drop(a);
}

void texts() {
  void *a = filled({2, 2}, 1, false);
  std::free(good(gt_string(a)).s);
  std::free(good(gt_build_info()).s);
  std::free(good(gt_take_warnings()).s);
  drop(a);
}

// A weight's copy in bf16: made anew after the weight has changed, and dropped.
void copies() {
  void *w = filled({4, 3}, 1, false);
  gt_rl made_of = good(gt_rounded_new(&w, 1));
  good(gt_op_opFillI(n(w), 2));
  good(gt_rounded_refresh(&w, 1));
  good(gt_rounded_drop(&w, 1));
  drop_all(made_of.t, made_of.n);
  std::free(made_of.t);
  drop(w);
}

void lists() {
  void *a = filled({6, 2}, 1, true);
  gt_rl parts = good(gt_op_Chunk(n(a), 3, 0));
  void *joined = made(gt_op_Cat(parts.t, parts.n, 0));
  void *sum = made(gt_op_opSum(n(joined)));
  gt_rl grads = good(gt_autograd_grad(&sum, 1, &a, 1, nullptr, false, false));
  drop_all(grads.t, grads.n);
  drop_all(parts.t, parts.n);
  std::free(grads.t);
  std::free(parts.t);
  drop(joined);
  drop(sum);
  drop(a);
}

}  // namespace

int main() {
  std::free(good(gt_setup(true)).s);
  void *w = filled({4, 3}, 0.1, true);
  void *m = filled({4, 3}, 0, false), *v = filled({4, 3}, 0, false), *count = filled({}, 0, false);
  void *average = filled({4, 3}, 0, false);
  void *generator = good(gt_generator_new(gt_device{}, 1)).p;
  void *optimizer = good(gt_sgd_new(0.1, 0.9, 0, 0, false)).p;
  good(gt_optimizer_add(optimizer, &w, 1));
  for (int i = 0; i < 3; i++) {
    int64_t before = good(gt_scope_enter(i + 1, 1)).v;
    int64_t cast = good(gt_autocast_enter(0, 15)).v;
    step(w, m, v, average, count, optimizer);
    good(gt_autocast_leave(0, cast));
    int64_t shape[] = {4};
    drop(made(gt_op_opRandN(shape, 1, generator, floats())));
    good(gt_scope_leave(before));
    errors();
    texts();
    lists();
    copies();
  }
  good(gt_generator_free(generator));
  good(gt_optimizer_free(optimizer));
  void *all[] = {w, m, v, average, count};
  drop_all(all, 5);
  good(gt_empty_cache());
  gt_stats s = gt_get_stats();
  if (s.handles_made != s.handles_freed || s.bytes_used != 0) {
    std::fprintf(stderr, "%lld handles and %lld bytes are left\n",
                 static_cast<long long>(s.handles_made - s.handles_freed),
                 static_cast<long long>(s.bytes_used));
    failures++;
  }
  return failures != 0;
}
