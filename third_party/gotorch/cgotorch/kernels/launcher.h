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
  // What is known of a program that was loaded.
  struct Loaded {
    std::string architecture;  // that it was compiled for: sm_90
    double seconds = 0;        // that compiling took
    bool compiled = false;     // now; else it was found, compiled before
    std::string log;           // what the compiler said
    std::string not_kept;      // why, where it was compiled and cannot be kept
  };
  // Whether the host may wait for d now: not while a graph is captured.
  virtual bool may_wait(c10::Device d) noexcept = 0;
  // A folder to keep in what was compiled, or ""; is called once, before all else.
  virtual void keep_in(const std::string &folder) { (void)folder; }
  // Makes all kernels of a program ready to be launched on d, or throws what is in the way.
  // Is called by one thread at a time.
  virtual Loaded load(c10::Device d, const GPUText &text, GPUProgram p) = 0;
  // What is known where load has just thrown.
  virtual Loaded failed() const { return {}; }
  // Runs one of p's on d's current stream. operands: the struct that the kernel takes by value.
  virtual void launch(GPUProgram p, const char *kernel, c10::Device d, Blocks blocks,
                      uint32_t threads, const void *operands, size_t bytes) = 0;
  // The device's last error is nobody's any more.
  virtual void forget_error() noexcept = 0;

 protected:
  ~DeviceKernels() = default;
};

// What operations ask.
class Launcher {
 public:
  // check tries all kernels of a device's program, and throws where they do not compute what
  // they should.
  using Check = void (*)(c10::Device, GPUProgram, Launcher &);
  Launcher(DeviceKernels &of, Check check) : of_(of), check_(check) {}

  // Whether d runs a program's kernels. The first question for a device and program compiles
  // it, or finds it compiled, and checks what it computes, which takes up to seconds; whoever
  // asks meanwhile waits. Where that fails the answer is no, for good; while a graph is
  // captured it is no for this time, and nothing is begun. Never throws: where there are none,
  // operations are libtorch's.
  //
  // An operation asks as it computes forward, and keeps the answer for its gradient.
  bool ready(c10::Device d, GPUProgram p) noexcept;
  // Runs one of p's on d's current stream. operands: the struct that the kernel takes by value.
  void launch(GPUProgram p, const char *kernel, c10::Device d, Blocks blocks, uint32_t threads,
              const void *operands, size_t bytes);

  struct Report {
    bool ready = false;
    std::string why;  // not
    DeviceKernels::Loaded loaded;
  };
  Report report(c10::Device d, GPUProgram p) noexcept;  // asks first

  // While one lives, ready says ours of p, and no of all that is not decided yet, to what this
  // thread computes, gradients included. For checks.
  class Trial {
   public:
    Trial(GPUProgram p, bool ours);

   private:
    c10::DebugInfoGuard guard_;
  };
  // Those that trials have launched of the program being checked.
  const std::set<std::string> &tried() const { return tried_; }

 private:
  enum State : int { unknown, no, yes };
  struct Known {
    std::atomic<int> state{unknown};
    Report report;
  };
  Known &known(c10::Device d, GPUProgram p) {
    return known_.at(d.index()).at(static_cast<size_t>(p));
  }
  void decide(c10::Device d, GPUProgram p, Report &r) noexcept;

  DeviceKernels &of_;
  Check check_;
  std::mutex mutex_;  // of deciding
  std::mutex tried_mutex_;
  std::set<std::string> tried_;
  std::array<std::array<Known, gpu_programs>, 128> known_;
};

// Throws where a program's kernels compute anything on d but what libtorch's operations do
// there, or some were not tried (self_check.cc).
void check_kernels(c10::Device d, GPUProgram p, Launcher &l);

// What was set, for good, when a library for devices was opened; null where none was.
Launcher *launcher();

}  // namespace gt

#endif  // CGOTORCH_KERNELS_LAUNCHER_H_
