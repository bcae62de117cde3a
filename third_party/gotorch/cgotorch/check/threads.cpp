// A program without Go whose threads call the C++ part all at once, as goroutines
// do: ThreadSanitizer says whether two touch the same memory without an order.
// sanitize.sh --threads builds both with it and runs this.
//
// libgomp is not built with it: what its threads hand each other would look like a
// race. So the functions that parallel.h takes are here, on threads that the
// sanitizer knows. The loader finds them before libgomp's; libtorch's loops have them, too.
#include <dlfcn.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "calls.h"

namespace {

// The threads of a parallel region.
struct Team {
  explicit Team(unsigned threads) : size(threads) {}
  const unsigned size;
  std::mutex mutex;
  std::condition_variable all_there;
  unsigned there = 0, round = 0;

  void wait() {
    std::unique_lock<std::mutex> lock(mutex);
    unsigned now = round;
    if (++there == size) {
      there = 0, round++;
      all_there.notify_all();
    }
    all_there.wait(lock, [&] { return round != now; });
  }
};
thread_local Team *team = nullptr;
thread_local int member = 0;
std::atomic<int64_t> regions{0};  // of more than one thread

}  // namespace

extern "C" {
int omp_get_thread_num(void) { return member; }
int omp_get_num_threads(void) { return team ? static_cast<int>(team->size) : 1; }
int omp_in_parallel(void) { return team && team->size > 1; }
void GOMP_barrier(void) {
  if (team) team->wait();
}
void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned) {
  // libgomp's own: what gt_scope_enter has set.
  static auto most = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "omp_get_max_threads"));
  if (!threads) threads = static_cast<unsigned>(most());
  Team mine(team ? 1 : threads);
  if (mine.size > 1) regions++;
  auto run = [&](unsigned i) {
    Team *outer = std::exchange(team, &mine);
    int was = std::exchange(member, static_cast<int>(i));
    body(data);
    team = outer, member = was;
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < mine.size; i++) others.emplace_back(run, i);
  run(0);
  for (auto &thread : others) thread.join();
}
}

namespace {

// Handles that another thread gives back, as those are that Go's collector finds.
struct Unheld {
  std::mutex mutex;
  std::vector<gt_handle> handles;

  void add(const std::vector<void *> &all) {
    std::lock_guard<std::mutex> lock(mutex);
    for (void *h : all) handles.push_back(n(h));
  }
  void free() {
    std::vector<gt_handle> all;
    {
      std::lock_guard<std::mutex> lock(mutex);
      all.swap(handles);
    }
    good(gt_free(all.data(), static_cast<int64_t>(all.size())));
  }
};
Unheld unheld;

// What a thread makes in a step.
struct Step {
  std::vector<void *> all;
  void *generator;

  explicit Step(int64_t seed)
      : generator(good(gt_generator_new(gt_device{}, static_cast<uint64_t>(seed))).p) {}
  ~Step() {
    unheld.add(all);
    good(gt_generator_free(generator));
  }
  gt_handle keep(gt_r1 r) {
    all.push_back(made(r));
    return n(all.back());
  }
  gt_handle noise(std::vector<int64_t> shape, bool grad = false) {
    void *t =
        made(gt_op_opRandN(shape.data(), static_cast<int64_t>(shape.size()), generator, floats()));
    good(gt_set_requires_grad(t, grad));
    all.push_back(t);
    return n(t);
  }
  // [B,H,W,C] -> [B,C,H,W], as it lies.
  gt_handle channels_last(gt_handle t) {
    const int64_t order[] = {0, 3, 1, 2};
    return keep(gt_op_opPermute(t, order, 4));
  }
  // The gradients of y's mean square at the inputs, into grads.
  void gradients(gt_handle y, std::vector<void *> inputs, std::vector<void *> *grads) {
    void *loss = reinterpret_cast<void *>(keep(gt_op_opMean(keep(gt_op_Square(y)))));
    gt_rl r = good(gt_autograd_grad(&loss, 1, inputs.data(), static_cast<int64_t>(inputs.size()),
                                    nullptr, false, false));
    for (int64_t i = 0; i < r.n; i++) (grads ? *grads : all).push_back(r.t[i]);
    std::free(r.t);
  }
};

constexpr int64_t width = 64, channels = 32;

// Parameters that all threads read, with what AdamW keeps.
struct Model {
  std::vector<void *> params, first, second, averages, halves;
  void *count = filled({}, 0, false);

  Model() {
    std::vector<std::vector<int64_t>> shapes = {
        {width, width}, {width}, {channels, channels, 3, 3}, {channels}, {channels}};
    for (auto &shape : shapes) {
      params.push_back(filled(shape, 0.01, true));
      for (auto *of : {&first, &second, &averages}) of->push_back(filled(shape, 0, false));
    }
    gt_rl r = good(gt_rounded_new(params.data(), size()));
    halves.assign(r.t, r.t + r.n);
    std::free(r.t);
  }
  int64_t size() const { return static_cast<int64_t>(params.size()); }
  gt_handle at(int i) const { return n(params[i]); }
  void drop() {
    good(gt_rounded_drop(params.data(), size()));
    for (auto *of : {&params, &first, &second, &averages, &halves}) drop_all(of->data(), size());
    ::drop(count);
  }
  // The leaf that a gradient is at: with half, a rounding.
  void *leaf(int i, bool half) const { return half ? halves[i] : params[i]; }
};

// Every kernel that computes in parallel, forward and backward; the gradients at parameters
// are left in grads, if any. half: by autocast and roundings.
void kernels(const Model &m, int64_t seed, bool half, std::vector<void *> *grads) {
  Step s(seed);
  const int64_t one[] = {1, 1};
  gt_handle x = s.noise({700, width});
  gt_handle h = s.keep(gt_op_RawLinearSilu(x, m.at(0), m.at(1)));
  h = s.keep(gt_op_RawLinear(h, m.at(0), m.at(1)));
  s.gradients(h, {m.leaf(0, half), m.leaf(1, half)}, grads);

  gt_handle images = s.channels_last(s.noise({32, 16, 16, channels}, true));
  h = s.keep(
      gt_op_RawGroupNormAct(images, s.noise({32, channels}), 8, m.at(3), m.at(4), 1e-5, true));
  h = s.keep(gt_op_RawConv2d(h, m.at(2), 0, one, 2, one, 2, one, 2, 1));
  s.gradients(h, {m.leaf(2, half), m.params[3], m.params[4]}, grads);

  gt_handle qkv = s.noise({3, 4, 3, 40, 16}, true);
  s.gradients(s.keep(gt_op_RawAttention(qkv, 0.25)), {reinterpret_cast<void *>(qkv)}, nullptr);
  gt_handle thin = s.noise({3000, 2}, true);
  h = s.keep(gt_op_RawLinearSilu(thin, s.noise({width, 2}), m.at(1)));
  h = s.keep(gt_op_RawBiasSilu(h, m.at(1)));
  h = s.keep(gt_op_RawLinear(h, s.noise({2, width}), 0));
  s.gradients(h, {reinterpret_cast<void *>(thin)}, nullptr);
  s.keep(gt_op_RawStableTarget(s.noise({512, 2}), s.noise({512, 2}),
                               s.keep(gt_op_Square(s.noise({512})))));
}

void train(const Model &m, int64_t id, std::vector<void *> *grads) {
  int64_t before = good(gt_scope_enter(id, 2)).v;
  kernels(m, id, false, grads);
  good(gt_rounded_use(true));
  int64_t cast = good(gt_autocast_enter(0, 15)).v;
  kernels(m, id, true, nullptr);
  good(gt_autocast_leave(0, cast));
  good(gt_rounded_use(false));
  void *a = filled({2, 3}, 1, false);
  bad(gt_op_opMM(n(a), n(a)));
  ::drop(a);
  good(gt_scope_leave(before));
}

// What other goroutines ask of the library meanwhile.
void watch(const std::atomic<bool> &done) {
  while (!done) {
    unheld.free();
    gt_get_stats();
    good(gt_reset_peak());
    good(gt_bytes_used());
    good(gt_set_memory_limit(int64_t{1} << 40));
    good(gt_trace(false));
    std::free(good(gt_take_warnings()).s);
    good(gt_profile_start());
    std::this_thread::yield();
    std::free(good(gt_profile_stop()).s);
    good(gt_empty_cache());
  }
}

// Sums the threads' gradients and takes a step with them, in parallel itself.
void update(Model *m, std::vector<void *> grads, int64_t lists) {
  int64_t before = good(gt_scope_enter(1000, 3)).v;
  good(gt_zero_grad(m->params.data(), m->size()));
  good(gt_add_grads(m->params.data(), m->size(), grads.data(), lists));
  void *norm = made(gt_grad_norm(m->params.data(), m->size()));
  good(gt_scale_grads(m->params.data(), m->size(), norm));
  good(gt_adamw(m->params.data(), m->first.data(), m->second.data(), m->size(), m->count, 0.01,
                nullptr, 0.9, 0.999, 1e-8, 0.01, nullptr, nullptr, m->averages.data(), 0.5));
  good(gt_rounded_refresh(m->params.data(), m->size()));
  drop(norm);
  unheld.add(grads);
  good(gt_scope_leave(before));
}

}  // namespace

int main() {
  constexpr int64_t goroutines = 3;
  std::free(good(gt_setup(true)).s);
  good(gt_set_threads(4));
  Model model;
  good(gt_rounded_refresh(model.params.data(), model.size()));
  std::atomic<bool> done{false};
  std::thread watcher([&] { watch(done); });
  for (int64_t step = 0; step < 2; step++) {
    std::vector<std::vector<void *>> grads(goroutines);
    std::vector<std::thread> threads;
    for (int64_t i = 0; i < goroutines; i++)
      threads.emplace_back([&, i] { train(model, step * goroutines + i + 1, &grads[i]); });
    for (auto &thread : threads) thread.join();
    std::vector<void *> all;
    for (auto &of_one : grads) all.insert(all.end(), of_one.begin(), of_one.end());
    update(&model, all, goroutines);
  }
  done = true;
  watcher.join();
  unheld.free();
  model.drop();
  gt_stats stats = gt_get_stats();
  if (stats.handles_made != stats.handles_freed) {
    std::fprintf(stderr, "%lld handles are left\n",
                 static_cast<long long>(stats.handles_made - stats.handles_freed));
    failures++;
  }
  if (regions < 100) {
    std::fprintf(stderr, "only %lld parallel regions: libgomp's are seen, not the program's\n",
                 static_cast<long long>(regions));
    failures++;
  }
  return failures != 0;
}
