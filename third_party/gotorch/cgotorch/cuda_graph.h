// A CUDA graph whose failed capture leaves nothing behind. It is a template, so
// that a test without a GPU can put stand-ins in libtorch's place
// (check/graph.cpp).
#ifndef CGOTORCH_CUDA_GRAPH_H_
#define CGOTORCH_CUDA_GRAPH_H_

namespace gt {

// Base is at::cuda::CUDAGraph. If cudaStreamEndCapture fails in its capture_end,
// or what comes before it in capture_begin, it leaves the stream capturing, the
// allocator filling the graph's pool, and the generators refusing to give a
// number outside a capture; nothing in the process works from then on. What it
// knows of these are protected members.
//
// Cuda says how each is ended:
//   bool capturing(stream)       whether the stream captures, or did until it failed
//   void end_capture(stream)     ends that, and throws away what was captured
//   void forget_error()          the device's last error is nobody's any more
//   void end_pool(device, pool), end_host_pool(pool)    allocations are ordinary again
//   void free_pool(device, pool), free_host_pool(pool)  give back what the pool holds
template <class Base, class Cuda>
class Graph : public Base {
 public:
  using Base::Base;

  template <class... Mode>
  void begin(Mode... mode) {
    begun_ = true;
    try {
      this->capture_begin({0, 0}, mode...);
    } catch (...) {
      undo();
      throw;
    }
  }

  void end() {
    try {
      this->capture_end();
    } catch (...) {
      undo();
      throw;
    }
    begun_ = false;
  }

  // Leaves a capture whose work was not finished. Nothing that it meets matters
  // any more.
  void abandon() noexcept {
    if (begun_) undo();
  }

 private:
  // Every step is taken whatever the one before met: some have been done already,
  // and which depends on where the capture failed.
  void undo() noexcept {
    begun_ = false;
    attempt([&] {
      if (Cuda::capturing(this->capture_stream_)) Cuda::end_capture(this->capture_stream_);
    });
    attempt([&] { Cuda::forget_error(); });
    // Before it has a pool capture_begin can fail, too; and once capture_ended_
    // is set, Base frees it itself.
    if (!this->capture_ended_ && this->mempool_id_ != decltype(this->mempool_id_){}) {
      attempt([&] { Cuda::end_pool(this->capture_dev_, this->mempool_id_); });
      attempt([&] { Cuda::end_host_pool(this->mempool_id_); });
      attempt([&] { Cuda::free_pool(this->capture_dev_, this->mempool_id_); });
      attempt([&] { Cuda::free_host_pool(this->mempool_id_); });
    }
    for (auto &known : this->captured_generator_states_) known.first->capturing_ = false;
  }

  template <class F>
  static void attempt(F &&f) noexcept {
    try {
      f();
    } catch (...) {
    }
  }

  bool begun_ = false;
};

}  // namespace gt

#endif  // CGOTORCH_CUDA_GRAPH_H_
