// All kernels for GPUs, and the programs that they are compiled, checked and kept in: what a
// GPU is not asked for is not compiled for it. For the host alone.
//
// A new one is a function body(o, s) in a .cuh file, for operands of its own (operands.h), a line
// in each list, a file's line in gpu_text.cc and check/standin/kernels.cpp, and what it has to
// compute in self_check.cc.
#ifndef CGOTORCH_KERNELS_GPU_LIST_H_
#define CGOTORCH_KERNELS_GPU_LIST_H_

// X(program, file, what it computes)
#define GT_GPU_PROGRAMS(X)                                                    \
  GT_GPU_OF_ELEMENTS(X, group_norm, "kernels/gpu/groupnorm.cuh", "GroupNorm") \
  GT_GPU_OF_ELEMENTS(X, bias_silu, "kernels/gpu/bias_silu.cuh", "SiLU")       \
  X(adamw, "kernels/gpu/adamw.cuh", "AdamW")                                  \
  X(stable_target, "kernels/gpu/stable_target.cuh", "each stable target")

// X(program, kernel, operands, body, memory): the kernel's text is GT_GPU_KERNEL of the same
// (device.cuh). memory: what a block's threads share, or Nothing.
#define GT_GPU_KERNELS(X)                   \
  GT_GPU_FOR_ELEMENTS(X, GT_GPU_GROUP_NORM) \
  GT_GPU_FOR_ELEMENTS(X, GT_GPU_BIAS_SILU)  \
  GT_GPU_ADAMW(X)                           \
  GT_GPU_STABLE_TARGET(X)

#define GT_GPU_GROUP_NORM(X, E, e)                                               \
  X(group_norm_##e, group_norm_moments_##e, GroupNorm, group_norm::moments<E>,   \
    group_norm::MomentsMemory<E>)                                                \
  X(group_norm_##e, group_norm_forward_##e, GroupNorm, group_norm::forward<E>,   \
    group_norm::ForwardMemory<E>)                                                \
  X(group_norm_##e, group_norm_sums_##e, GroupNorm, group_norm::sums<E>,         \
    group_norm::SumsMemory<E>)                                                   \
  X(group_norm_##e, group_norm_backward_##e, GroupNorm, group_norm::backward<E>, \
    group_norm::BackwardMemory<E>)

#define GT_GPU_BIAS_SILU(X, E, e)                                                   \
  X(bias_silu_##e, bias_silu_forward_##e, BiasSilu, bias_silu::forward<E>, Nothing) \
  X(bias_silu_##e, bias_silu_backward_##e, BiasSilu, bias_silu::backward<E>,        \
    bias_silu::BackwardMemory<E>)

#define GT_GPU_ADAMW(X)                                                         \
  X(adamw, adamw_squares, AdamW, adamw::squares, Gathering<adamw::Squares>)     \
  X(adamw, adamw_numbers, AdamWStep, adamw::numbers, Gathering<adamw::Squares>) \
  X(adamw, adamw_update, AdamW, adamw::update, Nothing)

#define GT_GPU_STABLE_TARGET(X) \
  X(stable_target, stable_target, StableTarget, stable_targets::away, stable_targets::Memory)

// Of bf16 and float32, as many at a time as one access gets, and one by one.
#define GT_GPU_OF_ELEMENTS(X, program, ...) \
  X(program##_bf16x8, __VA_ARGS__)          \
  X(program##_bf16, __VA_ARGS__)            \
  X(program##_f32x4, __VA_ARGS__)           \
  X(program##_f32, __VA_ARGS__)
#define GT_GPU_FOR_ELEMENTS(X, KERNELS) \
  KERNELS(X, Bf16x8, bf16x8)            \
  KERNELS(X, Bf16, bf16)                \
  KERNELS(X, F32x4, f32x4)              \
  KERNELS(X, F32, f32)

namespace gt {

#define GT_ONE(program, file, what) program,
enum class GPUProgram : int { GT_GPU_PROGRAMS(GT_ONE) };
#undef GT_ONE
#define GT_ONE(program, file, what) +1
constexpr int gpu_programs = 0 GT_GPU_PROGRAMS(GT_ONE);
#undef GT_ONE

}  // namespace gt

#endif  // CGOTORCH_KERNELS_GPU_LIST_H_
