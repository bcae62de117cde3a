// The text of the kernels for GPUs, which is compiled where they run.
#ifndef CGOTORCH_KERNELS_GPU_TEXT_H_
#define CGOTORCH_KERNELS_GPU_TEXT_H_

#include <string>
#include <utility>
#include <vector>

#include "gpu/list.h"

namespace gt {

struct GPUText {
  using File = std::pair<std::string, std::string>;  // name and text
  struct Kernel {
    std::string name;
    size_t operands;   // bytes of the struct that it takes
    std::string text;  // is compiled by itself, so that several are at a time
  };
  struct Program {
    std::string name, what;  // what it computes, for people
    File file;               // that the kernels' texts include, and that may include headers
    std::vector<Kernel> kernels;
  };

  std::vector<File> headers;  // by the names that they include each other by
  std::vector<Program> programs;

  const Program &operator[](GPUProgram p) const { return programs[static_cast<size_t>(p)]; }
};

const GPUText &gpu_text();

}  // namespace gt

#endif  // CGOTORCH_KERNELS_GPU_TEXT_H_
