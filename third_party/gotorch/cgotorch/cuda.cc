// The CUDA part, a library of its own that is opened where there is a device.
// It includes only headers that need no more than CUDA's run time, so that it
// compiles on every machine.
#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAGeneratorImpl.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAEvent.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <vector>

#include "core.h"
#include "cuda_graph.h"
#include "internal.h"
#include "message.h"

static std::atomic<bool> show_trace{false};

// This library has its own copy of what setup.cc keeps for the CPU part.
namespace gt {
std::atomic<int64_t> handles_made{0}, handles_freed{0};
constinit thread_local Thread thread{0, true, 0, 1};
void prepare_thread() {}
char *message(std::exception_ptr e) noexcept { return message(std::move(e), show_trace); }
}  // namespace gt

using c10::cuda::CUDAStream;
using Event = c10::cuda::CUDAEvent;
namespace allocator = c10::cuda::CUDACachingAllocator;

// How a graph's failed capture is ended; see cuda_graph.h.
struct Cuda {
  static bool capturing(const CUDAStream &s) {
    cudaStreamCaptureStatus status{cudaStreamCaptureStatusNone};
    return cudaStreamIsCapturing(s, &status) != cudaSuccess ||
           status != cudaStreamCaptureStatusNone;
  }
  static void end_capture(const CUDAStream &s) {
    cudaGraph_t graph = nullptr;
    (void)cudaStreamEndCapture(s, &graph);
    if (graph) (void)cudaGraphDestroy(graph);
  }
  static void forget_error() { (void)cudaGetLastError(); }
  static void end_pool(c10::DeviceIndex d, c10::MempoolId_t pool) {
    allocator::endAllocateToPool(d, pool);
  }
  static void free_pool(c10::DeviceIndex d, c10::MempoolId_t pool) {
    allocator::releasePool(d, pool);
  }
  static void end_host_pool(c10::MempoolId_t pool) {
    at::getHostAllocator(at::kCUDA)->end_allocate_to_pool(pool);
  }
  static void free_host_pool(c10::MempoolId_t pool) {
    at::getHostAllocator(at::kCUDA)->release_pool(pool);
  }
};
using Graph = gt::Graph<at::cuda::CUDAGraph, Cuda>;

static c10::DeviceIndex at_index(int64_t d) { return static_cast<c10::DeviceIndex>(d); }
// The allocator knows a device only once CUDA has been initialised.
static void initialise() { at::globalContext().lazyInitDevice(c10::DeviceType::CUDA); }
static CUDAStream &stream(void *s) { return *static_cast<CUDAStream *>(s); }

// libtorch's streams are few and never end: one handle for each, kept for ever.
static void *handle_of(CUDAStream s) {
  static std::mutex mu;
  static auto *known = new std::map<std::pair<int, int64_t>, CUDAStream *>;
  std::lock_guard<std::mutex> lock(mu);
  auto &h = (*known)[{s.device_index(), s.id()}];
  if (!h) h = new CUDAStream(s);
  return h;
}

// What libtorch's allocator counts itself, without asking the device.
static void allocated(int64_t device, gt_cuda_info &r) {
  auto s = allocator::getDeviceStats(at_index(device));
  r.allocated = s.allocated_bytes[0].current;
  r.allocated_peak = s.allocated_bytes[0].peak;
  r.reserved = s.reserved_bytes[0].current;
}

GT_EXPORT gt_ri gt_cuda_device_count() {
  return gt::integer(
      [] { return static_cast<int64_t>(c10::cuda::device_count_ensure_non_zero()); });
}

GT_EXPORT gt_cuda_info gt_cuda_device_info(int64_t device) {
  return gt::guarded<gt_cuda_info>([&](gt_cuda_info &r) {
    initialise();
    cudaDeviceProp p;
    C10_CUDA_CHECK(cudaGetDeviceProperties(&p, static_cast<int>(device)));
    std::snprintf(r.name, sizeof r.name, "%s", p.name);
    r.major = p.major;
    r.minor = p.minor;
    size_t free = 0, total = 0;
    c10::cuda::CUDAGuard guard(at_index(device));
    C10_CUDA_CHECK(cudaMemGetInfo(&free, &total));
    r.free = static_cast<int64_t>(free);
    r.total = static_cast<int64_t>(total);
    allocated(device, r);
  });
}

GT_EXPORT gt_cuda_info gt_cuda_memory(int64_t device) {
  return gt::guarded<gt_cuda_info>([&](gt_cuda_info &r) {
    initialise();
    allocated(device, r);
  });
}

GT_EXPORT gt_r0 gt_cuda_synchronize(int64_t device) {
  return gt::none([&] {
    c10::cuda::CUDAGuard guard(at_index(device));
    c10::cuda::device_synchronize();
  });
}

GT_EXPORT gt_r0 gt_cuda_empty_cache() {
  return gt::none([] { allocator::emptyCache(); });
}

GT_EXPORT gt_r0 gt_cuda_reset_peak(int64_t device) {
  return gt::none([&] {
    initialise();
    allocator::resetPeakStats(at_index(device));
  });
}

GT_EXPORT gt_rb gt_cuda_has_cudnn() {
  return gt::truth([] { return at::globalContext().hasCuDNN(); });
}

GT_EXPORT gt_r0 gt_cuda_trace(bool on) {
  return gt::none([&] { show_trace = on; });
}

GT_EXPORT gt_rp gt_cuda_stream_new(int64_t device) {
  return gt::pointer([&] {
    return handle_of(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, at_index(device)));
  });
}

GT_EXPORT gt_rp gt_cuda_stream_current(int64_t device) {
  return gt::pointer([&] { return handle_of(c10::cuda::getCurrentCUDAStream(at_index(device))); });
}

GT_EXPORT gt_ri gt_cuda_device() {
  return gt::integer([] { return static_cast<int64_t>(c10::cuda::current_device()); });
}

GT_EXPORT gt_r0 gt_cuda_set_device(int64_t device) {
  return gt::none([&] { c10::cuda::set_device(at_index(device)); });
}

GT_EXPORT gt_ri gt_cuda_stream_device(void *s) {
  return gt::integer([&] { return static_cast<int64_t>(stream(s).device_index()); });
}

// libtorch keeps a current stream for each device, and leaves the current device
// as it is: a graph would then be captured on another one.
GT_EXPORT gt_r0 gt_cuda_stream_set(void *s) {
  return gt::none([&] {
    c10::cuda::set_device(stream(s).device_index());
    c10::cuda::setCurrentCUDAStream(stream(s));
  });
}

GT_EXPORT gt_r0 gt_cuda_stream_synchronize(void *s) {
  return gt::none([&] { stream(s).synchronize(); });
}

GT_EXPORT gt_rb gt_cuda_stream_query(void *s) {
  return gt::truth([&] { return stream(s).query(); });
}

GT_EXPORT gt_r0 gt_cuda_stream_wait(void *s, void *e) {
  return gt::none([&] { static_cast<Event *>(e)->block(stream(s)); });
}

GT_EXPORT gt_rp gt_cuda_event_new(bool timing) {
  return gt::pointer([&] { return new Event(timing ? cudaEventDefault : cudaEventDisableTiming); });
}

GT_EXPORT gt_r0 gt_cuda_event_record(void *e, void *s) {
  return gt::none([&] { static_cast<Event *>(e)->record(stream(s)); });
}

GT_EXPORT gt_r0 gt_cuda_event_synchronize(void *e) {
  return gt::none([&] { static_cast<Event *>(e)->synchronize(); });
}

// Milliseconds from start to end.
GT_EXPORT gt_rf gt_cuda_event_elapsed(void *start, void *end) {
  return gt::real(
      [&] { return static_cast<Event *>(start)->elapsed_time(*static_cast<Event *>(end)); });
}

GT_EXPORT gt_r0 gt_cuda_event_free(void *e) {
  return gt::none([&] { delete static_cast<Event *>(e); });
}

GT_EXPORT gt_rp gt_cuda_graph_new() {
  // What was captured is kept beside what is replayed, to be counted.
  return gt::pointer([] { return new Graph(/*keep_graph=*/true); });
}

// The generator's seed and offset are then set before each replay.
GT_EXPORT gt_r0 gt_cuda_graph_register(void *g, void *generator) {
  return gt::none([&] {
    auto state =
        at::check_generator<at::CUDAGeneratorImpl>(*static_cast<at::Generator *>(generator));
    // Seed and offset are kept on the current device.
    c10::cuda::CUDAGuard guard(state->device().index());
    state->register_graph(static_cast<Graph *>(g));
  });
}

// What other threads do meanwhile is not captured, and does not end the capture:
// loaders may ask for page-locked memory.
GT_EXPORT gt_r0 gt_cuda_graph_begin(void *g) {
  return gt::none([&] { static_cast<Graph *>(g)->begin(cudaStreamCaptureModeThreadLocal); });
}

GT_EXPORT gt_r0 gt_cuda_graph_end(void *g) {
  return gt::none([&] {
    static_cast<Graph *>(g)->end();
    // It leaves that to us where it keeps what was captured.
    static_cast<Graph *>(g)->instantiate();
  });
}

GT_EXPORT gt_r0 gt_cuda_graph_abandon(void *g) {
  return gt::none([&] { static_cast<Graph *>(g)->abandon(); });
}

GT_EXPORT gt_r0 gt_cuda_graph_replay(void *g) {
  return gt::none([&] { static_cast<Graph *>(g)->replay(); });
}

// The operations of a graph, or of them those that are kernels.
GT_EXPORT gt_ri gt_cuda_graph_nodes(void *g, bool kernels) {
  return gt::integer([&]() -> int64_t {
    cudaGraph_t graph = static_cast<Graph *>(g)->raw_cuda_graph();
    size_t n = 0;
    C10_CUDA_CHECK(cudaGraphGetNodes(graph, nullptr, &n));
    if (!kernels) return static_cast<int64_t>(n);
    std::vector<cudaGraphNode_t> nodes(n);
    C10_CUDA_CHECK(cudaGraphGetNodes(graph, nodes.data(), &n));
    return std::count_if(nodes.begin(), nodes.end(), [](cudaGraphNode_t node) {
      cudaGraphNodeType type{};
      C10_CUDA_CHECK(cudaGraphNodeGetType(node, &type));
      return type == cudaGraphNodeTypeKernel;
    });
  });
}

GT_EXPORT gt_r0 gt_cuda_graph_free(void *g) {
  return gt::none([&] { delete static_cast<Graph *>(g); });
}

// While it is on, whatever makes the host wait for the device fails.
GT_EXPORT gt_r0 gt_cuda_forbid_waits(bool on) {
  return gt::none([&] {
    c10::cuda::warning_state().set_sync_debug_mode(on ? c10::cuda::SyncDebugMode::L_ERROR
                                                      : c10::cuda::SyncDebugMode::L_DISABLED);
  });
}
