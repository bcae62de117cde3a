// How kernels of our own get to a GPU.
#ifndef CGOTORCH_KERNELS_LAUNCHER_H_
#define CGOTORCH_KERNELS_LAUNCHER_H_

#include "pch.h"

namespace gt {

// How many blocks of threads.
struct Blocks {
  uint32_t x = 1, y = 1, z = 1;
};

// What runs the kernels of kernels/gpu: the part for CUDA, which has NVRTC compile them, or
// the stand-in for a GPU.
class Launcher {
 public:
  // Whether d runs them. The first question for a device may compile them, which takes up
  // to seconds, and is not asked while a graph is captured. Never throws: where they
  // cannot be had, the operations are libtorch's.
  virtual bool ready(c10::Device d) noexcept = 0;
  // Runs one on d's current stream. operands: the struct that the kernel takes by value.
  virtual void launch(const char *kernel, c10::Device d, Blocks blocks, uint32_t threads,
                      const void *operands, size_t bytes) = 0;

 protected:
  ~Launcher() = default;
};

// What was set, for good, when a library for devices was opened; null where none was.
Launcher *launcher();
void set_launcher(Launcher *l);

}  // namespace gt

#endif  // CGOTORCH_KERNELS_LAUNCHER_H_
