#include "gpu_text.h"

#include "gpu/operands.h"

// The assembler puts a file into the library as it is; it looks for it where the compiler
// looks for headers. scripts/build knows that the library is made of these files, too.
#define GT_TEXT(name, path)                                                            \
  asm(".pushsection .rodata\ngt_text_" #name ":\n.incbin \"" path "\"\ngt_text_" #name \
      "_end:\n.byte 0\n.popsection\n");                                                \
  extern "C" __attribute__((visibility("hidden"))) const char gt_text_##name[],        \
      gt_text_##name##_end[];

#define GT_HEADERS(X)                                               \
  X(arithmetic, "kernels/arithmetic.h")                             \
  X(adamw_arithmetic, "kernels/adamw_arithmetic.h")                 \
  X(stable_target_arithmetic, "kernels/stable_target_arithmetic.h") \
  X(gpu_operands, "kernels/gpu/operands.h")                         \
  X(gpu_device, "kernels/gpu/device.cuh")
// Files of kernels.
#define GT_FILES(X)                             \
  X(gpu_groupnorm, "kernels/gpu/groupnorm.cuh") \
  X(gpu_bias_silu, "kernels/gpu/bias_silu.cuh") \
  X(gpu_adamw, "kernels/gpu/adamw.cuh")         \
  X(gpu_stable_target, "kernels/gpu/stable_target.cuh")

GT_HEADERS(GT_TEXT)
GT_FILES(GT_TEXT)

namespace gt {
namespace {

std::string text_of(const std::string &file) {
#define GT_FILE(name, path) \
  if (file == path) return std::string(gt_text_##name, gt_text_##name##_end);
  GT_FILES(GT_FILE)
  return "";  // which no kernel compiles with
}

GPUText make() {
  GPUText t;
#define GT_HEADER(name, path) \
  t.headers.emplace_back(path, std::string(gt_text_##name, gt_text_##name##_end));
#define GT_PROGRAM(program, path, what) \
  t.programs.push_back({#program, what, {path, text_of(path)}, {}});
// The compiler for GPUs must lay operands out as the host's has done.
#define GT_KERNEL(program, kernel, operands, body, memory)                                        \
  {                                                                                               \
    GPUText::Program &p = t.programs[static_cast<size_t>(GPUProgram::program)];                   \
    const std::string bytes = std::to_string(sizeof(gpu::operands));                              \
    p.kernels.push_back({#kernel, sizeof(gpu::operands),                                          \
                         "#include \"" + p.file.first +                                           \
                             "\"\nGT_GPU_KERNEL(" #program ", " #kernel ", " #operands ", " #body \
                             ", " #memory ")\nstatic_assert(sizeof(gt::gpu::" #operands ") == " + \
                             bytes + ", \"laid out otherwise\");\n"});                            \
  }
  GT_HEADERS(GT_HEADER)
  GT_GPU_PROGRAMS(GT_PROGRAM)
  GT_GPU_KERNELS(GT_KERNEL)
  return t;
}

}  // namespace

const GPUText &gpu_text() {
  static const auto *t = new GPUText(make());
  return *t;
}

}  // namespace gt
