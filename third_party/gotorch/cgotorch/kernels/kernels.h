// Operations of our own, where libtorch's are what is slow.
//
// Each is three kinds of files: NAME.cc is the operation, on tensors and with
// its gradient; NAME_loops.h computes with plain pointers; NAME_base.cc,
// NAME_avx2.cc, NAME_avx512.cc and NAME_avx512bf16.cc compile the loops for a
// kind of processor, of which NAME.cc chooses one when it runs. These include no
// header of C++ or of libtorch: what such a header inlines would otherwise be
// compiled for one processor and taken by the linker for all.
#ifndef CGOTORCH_KERNELS_KERNELS_H_
#define CGOTORCH_KERNELS_KERNELS_H_

#include "pch.h"

namespace gt {

// The group normalisation of x + shift, followed by SiLU if act.
// x: [B,C,...], shift: [B,C] or none, weight, bias: [C] or none -> x's shape,
// type and layout. float32 and bf16 on the CPU are computed by loops of our own
// with float32 inside, all else by libtorch.
at::Tensor group_norm(const at::Tensor &x, const std::optional<at::Tensor> &shift, int64_t groups,
                      const std::optional<at::Tensor> &weight,
                      const std::optional<at::Tensor> &bias, double eps, bool act);

// silu(x + bias). x: [...,C], bias: [C] or none -> x's shape and type. float32 and
// bf16 on the CPU are computed by loops of our own with float32 inside.
at::Tensor bias_silu(const at::Tensor &x, const std::optional<at::Tensor> &bias);
// The same into x itself; without gradients.
void bias_silu_(const at::Tensor &x, const std::optional<at::Tensor> &bias);
// silu(x w' + bias), the product by libtorch. x: [...,I], w: [O,I] -> [...,O].
at::Tensor linear_silu(const at::Tensor &x, const at::Tensor &w,
                       const std::optional<at::Tensor> &bias);

// How far data points are from the averages of those that their x_t may lead to
// (flow.StableTargets). x0, x1: [B,D], ratio: [B], float32 on the CPU -> [B,D].
at::Tensor stable_target(const at::Tensor &x0, const at::Tensor &x1, const at::Tensor &ratio);

// softmax(scale q k') v. qkv: [B,heads,3,T,C], which q, k and v are slices of, in
// any layout -> [B,heads,T,C], laid out as a slice of [B,heads,1,T,C] would be.
at::Tensor attention(const at::Tensor &qkv, double scale);

}  // namespace gt

#endif  // CGOTORCH_KERNELS_KERNELS_H_
