// A program without libtorch that shows what a failed capture leaves behind, and
// that gt::Graph (cuda_graph.h) leaves nothing: on a stand-in that does what
// CUDAGraph.cpp of libtorch 2.11 does, in its order, and fails where it is told.
// It also reads texts of exhausted memory. scripts/test compiles and runs it.
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "cuda_graph.h"
#include "memory_text.h"

namespace {

using Pool = std::pair<uint64_t, uint64_t>;

// Where the stand-in fails.
enum class At { nowhere, wrong_stream, begin, end, empty, nodes, instantiate };
At fails = At::nowhere;
void fail_at(At here) {
  if (fails == here) throw std::runtime_error("planted");
}

// The process's state that a capture changes.
struct World {
  enum { idle, capturing, invalid } stream = idle;
  bool last_error = false;
  std::set<Pool> filling, filling_host;       // allocations go to these pools
  std::map<Pool, int> pools, host_pools;      // and these are held
  std::set<int> unknown_devices;              // asked for, though there are none
} world;

struct State {
  bool capturing_ = false;
  void prologue() { capturing_ = true; }
  // As CUDAGeneratorState::increase.
  void draw() const {
    if (world.stream == World::idle && capturing_)
      throw std::runtime_error("Offset increment outside graph capture encountered unexpectedly.");
    if (world.stream != World::idle && !capturing_)
      throw std::runtime_error("Attempt to increase offset for a CUDA generator not in capture mode.");
  }
};

struct Stream {};

class Aten {
 public:
  ~Aten() {
    if (capture_ended_) {
      world.pools.erase(mempool_id_);
      world.host_pools.erase(mempool_id_);
    }
  }
  void watch(std::shared_ptr<State> s) { captured_generator_states_[std::move(s)] = 0; }

  void capture_begin(Pool = {0, 0}) {
    for (auto &s : captured_generator_states_) s.first->prologue();
    fail_at(At::wrong_stream);
    static uint64_t next = 1;
    capture_dev_ = 1;
    mempool_id_ = {next++, 0};
    world.filling.insert(mempool_id_);
    world.pools[mempool_id_] = 1;
    world.filling_host.insert(mempool_id_);
    world.host_pools[mempool_id_] = 1;
    if (fails == At::begin) world.last_error = true;
    fail_at(At::begin);
    world.stream = World::capturing;
  }

  void capture_end() {
    bool ok = world.stream == World::capturing && fails != At::end;
    // cudaStreamEndCapture of an invalidated capture fails, and ends it.
    if (fails != At::end) world.stream = World::idle;
    if (!ok) {
      world.last_error = true;
      throw std::runtime_error("CUDA error: operation failed due to a previous error during capture");
    }
    world.filling.erase(mempool_id_);
    world.filling_host.erase(mempool_id_);
    fail_at(At::empty);
    for (auto &s : captured_generator_states_) s.first->capturing_ = false;
    fail_at(At::nodes);
    capture_ended_ = true;
    fail_at(At::instantiate);
  }

 protected:
  Stream capture_stream_;
  int capture_dev_ = -1;
  Pool mempool_id_;
  bool capture_ended_ = false;
  std::map<std::shared_ptr<State>, uint64_t> captured_generator_states_;
};

void known(int device) {
  if (device < 0) world.unknown_devices.insert(device);
}
void erase(std::set<Pool> &from, Pool p) {
  if (!from.erase(p)) throw std::runtime_error("endAllocatePool: not currently recording to mempool_id");
}

struct Cuda {
  static bool capturing(Stream) { return world.stream != World::idle; }
  static void end_capture(Stream) { world.stream = World::idle; }
  static void forget_error() { world.last_error = false; }
  static void end_pool(int d, Pool p) {
    known(d);
    erase(world.filling, p);
  }
  static void free_pool(int d, Pool p) {
    known(d);
    world.pools.erase(p);
  }
  static void end_host_pool(Pool p) { erase(world.filling_host, p); }
  static void free_host_pool(Pool p) { world.host_pools.erase(p); }
};

using Graph = gt::Graph<Aten, Cuda>;

int failures = 0;
void expect(bool ok, const std::string &what) {
  if (ok) return;
  std::fprintf(stderr, "graph: %s\n", what.c_str());
  failures++;
}

// Nothing of a capture is left, and the process can go on.
void clean(const std::string &name, const State &s) {
  expect(world.stream == World::idle, name + ": the stream captures still");
  expect(!world.last_error, name + ": the error is left for the next check");
  expect(world.filling.empty() && world.filling_host.empty(), name + ": a pool is being filled");
  expect(world.pools.empty() && world.host_pools.empty(), name + ": a pool is held");
  expect(world.unknown_devices.empty(), name + ": a device that is none was named");
  try {
    s.draw();
  } catch (const std::exception &e) {
    expect(false, name + ": " + e.what());
  }
}

void capture(const std::string &name, At where, bool invalidate, bool abandon) {
  auto state = std::make_shared<State>();
  fails = where;
  bool threw = false;
  {
    Graph g;
    g.watch(state);
    try {
      g.begin();
      state->draw();
      if (invalidate) world.stream = World::invalid;
      if (!abandon) g.end();
    } catch (const std::exception &) {
      threw = true;
    }
    g.abandon();  // Go does so after a panic of what is captured
    if (where == At::nowhere && !invalidate && !abandon)
      expect(!threw && world.pools.size() == 1, name + ": a good graph lost its pool");
    else
      expect(threw || abandon, name + ": no error");
  }
  clean(name, *state);
}

void texts() {
  for (const char *s :
       {"[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes",
        "CUDA out of memory. Tried to allocate 20.00 MiB.", "CUDA error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED\nmore",
        "cusolver error: CUSOLVER_STATUS_ALLOC_FAILED, when calling x", "could not create a primitive"})
    expect(gt::says_out_of_memory(s), std::string("not taken for exhausted memory: ") + s);
  for (const char *s : {"CUDA error: an illegal memory access was encountered",
                        "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling ALLOC",
                        "cuDNN error: CUDNN_STATUS_BAD_PARAM", "_STATUS_", "", "The size of tensor a must match",
                        "could not create a primitive descriptor for a convolution"})
    expect(!gt::says_out_of_memory(s), std::string("taken for exhausted memory: ") + s);
}

}  // namespace

int main() {
  capture("good", At::nowhere, false, false);
  capture("the default stream", At::wrong_stream, false, false);
  capture("cudaStreamBeginCapture fails", At::begin, false, false);
  capture("an operation ends the capture", At::nowhere, true, false);
  capture("cudaStreamEndCapture fails and goes on", At::end, false, false);
  capture("no graph", At::empty, false, false);
  capture("no nodes", At::nodes, false, false);
  capture("cudaGraphInstantiate fails", At::instantiate, false, false);
  capture("what is captured panics", At::nowhere, false, true);
  capture("what is captured ends the capture and panics", At::nowhere, true, true);
  capture("good again", At::nowhere, false, false);
  texts();
  if (!failures) std::puts("ok");
  return failures != 0;
}
