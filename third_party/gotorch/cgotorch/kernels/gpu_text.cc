#include "gpu_text.h"

#include "gpu/operands.h"

// The assembler puts a file into the library as it is; it looks for it where the compiler
// looks for headers. scripts/build knows that the library is made of these files, too.
#define GT_TEXT(name, path)                                                            \
  asm(".pushsection .rodata\ngt_text_" #name ":\n.incbin \"" path "\"\ngt_text_" #name \
      "_end:\n.byte 0\n.popsection\n");                                                \
  extern "C" __attribute__((visibility("hidden"))) const char gt_text_##name[],        \
      gt_text_##name##_end[];

#define GT_HEADERS(X)                       \
  X(arithmetic, "kernels/arithmetic.h")     \
  X(gpu_operands, "kernels/gpu/operands.h") \
  X(gpu_device, "kernels/gpu/device.cuh")
// Files of kernels.
#define GT_PROGRAMS(X) X(gpu_groupnorm, "kernels/gpu/groupnorm.cuh")

GT_HEADERS(GT_TEXT)
GT_PROGRAMS(GT_TEXT)

namespace gt {
namespace {

GPUText make() {
  GPUText t;
#define GT_HEADER(name, path) \
  t.headers.emplace_back(path, std::string(gt_text_##name, gt_text_##name##_end));
#define GT_PROGRAM(name, path) GT_HEADER(name, path) t.program += "#include \"" path "\"\n";
// The compiler for GPUs must lay operands out as the host's has done.
#define GT_KERNEL(name, operands)                                                                  \
  t.kernels.push_back({#name, sizeof(gpu::operands)});                                             \
  t.program +=                                                                                     \
      "static_assert(sizeof(gt::gpu::" #operands ") == " + std::to_string(sizeof(gpu::operands)) + \
      ", \"laid out otherwise\");\n";
  GT_HEADERS(GT_HEADER)
  GT_PROGRAMS(GT_PROGRAM)
  GT_GPU_KERNELS(GT_KERNEL)
  return t;
}

}  // namespace

const GPUText &gpu_text() {
  static const auto *t = new GPUText(make());
  return *t;
}

}  // namespace gt
