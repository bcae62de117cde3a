// The text of the kernels for GPUs, which is compiled where they run.
#ifndef CGOTORCH_KERNELS_GPU_TEXT_H_
#define CGOTORCH_KERNELS_GPU_TEXT_H_

#include <string>
#include <utility>
#include <vector>

namespace gt {

struct GPUText {
  // By the names that they include each other by.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string program;  // includes all files of kernels
  struct Kernel {
    std::string name;
    size_t operands;  // bytes of the struct that it takes
  };
  std::vector<Kernel> kernels;
};

const GPUText &gpu_text();

}  // namespace gt

#endif  // CGOTORCH_KERNELS_GPU_TEXT_H_
