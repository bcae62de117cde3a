// How kernels of our own get to a GPU.
//
// Their text (gpu/) is part of this library (gpu_text.h), beside the code that fills their
// operands, so that the two are always of one build. A library for devices compiles and runs it:
// the part for CUDA by NVRTC, on the card that is there, the stand-in for a GPU by the compiler
// that it is built with. Whether a device runs kernels is decided here.
#ifndef CGOTORCH_KERNELS_LAUNCHER_H_
#define CGOTORCH_KERNELS_LAUNCHER_H_

#include <c10/util/ThreadLocalDebugInfo.h>

#include <array>
#include <atomic>
#include <mutex>
#include <set>
#include <string>

#include "gpu_text.h"
#include "pch.h"

namespace gt {

// How many blocks of threads.
struct Blocks {
  uint32_t x = 1, y = 1, z = 1;
};

// What a library for devices has to offer. It decides nothing.
class DeviceKernels {
 public:
  // What is known of kernels that were loaded.
  struct Loaded {
    std::string architecture;  // that they were compiled for: sm_90
    double seconds = 0;        // that compiling took
    std::string log;           // what the compiler said
  };
  // Whether the host may wait for d now: not while a graph is captured.
  virtual bool may_wait(c10::Device d) noexcept = 0;
  // Makes all kernels of the text ready to be launched on d, or throws what is in the way.
  // Is called by one thread at a time.
  virtual Loaded load(c10::Device d, const GPUText &text) = 0;
  // What is known where load has just thrown.
  virtual Loaded failed() const { return {}; }
  // Runs one on d's current stream. operands: the struct that the kernel takes by value.
  virtual void launch(const char *kernel, c10::Device d, Blocks blocks, uint32_t threads,
                      const void *operands, size_t bytes) = 0;
  // The device's last error is nobody's any more.
  virtual void forget_error() noexcept = 0;

 protected:
  ~DeviceKernels() = default;
};

// What operations ask.
class Launcher {
 public:
  // check tries all kernels of a device, and throws where they do not compute what they
  // should.
  Launcher(DeviceKernels &of, void (*check)(c10::Device, Launcher &)) : of_(of), check_(check) {}

  // Whether d runs kernels of ours. The first question for a device compiles them and checks
  // what they compute, which takes up to seconds; whoever asks meanwhile waits. Where that
  // fails the answer is no, for good; while a graph is captured it is no for this time, and
  // nothing is begun. Never throws: where there are none, operations are libtorch's.
  //
  // An operation asks as it computes forward, and keeps the answer for its gradient.
  bool ready(c10::Device d) noexcept;
  // Runs one on d's current stream. operands: the struct that the kernel takes by value.
  void launch(const char *kernel, c10::Device d, Blocks blocks, uint32_t threads,
              const void *operands, size_t bytes);

  struct Report {
    bool ready = false;
    std::string why;  // not
    DeviceKernels::Loaded loaded;
  };
  Report report(c10::Device d) noexcept;  // asks first

  // While one lives, ready says ours to what this thread computes, gradients included. For
  // checks.
  class Trial {
   public:
    explicit Trial(bool ours);

   private:
    c10::DebugInfoGuard guard_;
  };
  // Those that trials have launched on the device being checked.
  const std::set<std::string> &tried() const { return tried_; }

 private:
  enum State : int { unknown, no, yes };
  struct Known {
    std::atomic<int> state{unknown};
    Report report;
  };
  void decide(c10::Device d, Report &r) noexcept;

  DeviceKernels &of_;
  void (*check_)(c10::Device, Launcher &);
  std::mutex mutex_;  // of deciding
  std::mutex tried_mutex_;
  std::set<std::string> tried_;
  std::array<Known, 128> of_device_;
};

// Throws where kernels of d compute anything but what libtorch's operations do there, or
// some were not tried (self_check.cc).
void check_kernels(c10::Device d, Launcher &l);

// What was set, for good, when a library for devices was opened; null where none was.
Launcher *launcher();

}  // namespace gt

#endif  // CGOTORCH_KERNELS_LAUNCHER_H_
