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

#include "activation.h"
#include "pch.h"

namespace gt {

// The group normalisation of x + shift, followed by SiLU if act.
// x: [B,C,...], shift: [B,C] or none, weight, bias: [C] or none -> x's shape,
// type and layout. float32 and bf16 on the CPU are computed by loops of our own
// with float32 inside, on a GPU by kernels of our own that do the same, all else
// by libtorch.
at::Tensor group_norm(const at::Tensor &x, const std::optional<at::Tensor> &shift, int64_t groups,
                      const std::optional<at::Tensor> &weight,
                      const std::optional<at::Tensor> &bias, double eps, bool act);

// group_norm, and x for the skip connection around what follows: the gradient that comes back by
// it is added as that of the normalisation is written.
std::tuple<at::Tensor, at::Tensor> group_norm_skip(const at::Tensor &x,
                                                   const std::optional<at::Tensor> &shift,
                                                   int64_t groups,
                                                   const std::optional<at::Tensor> &weight,
                                                   const std::optional<at::Tensor> &bias,
                                                   double eps, bool act);

// at::group_norm, without the faults of its gradients. x: [B,C,...], weight, bias: [C] or none.
at::Tensor libtorch_group_norm(const at::Tensor &x, int64_t groups,
                               const std::optional<at::Tensor> &weight,
                               const std::optional<at::Tensor> &bias, double eps);

// The sum x + gate branch, or x where there is no branch, and its normalisation over the last
// dimension, times 1 + scale, plus shift. x, branch: [B,T,W], gate, shift, scale: [B,W] -> both of
// x's shape, the sum of x's type, and on the CPU the other of shift's. float32 and bf16 there are
// computed by loops of our own with float32 inside.
std::pair<at::Tensor, at::Tensor> modulated_norm(const at::Tensor &x,
                                                 const std::optional<at::Tensor> &branch,
                                                 const std::optional<at::Tensor> &gate,
                                                 const at::Tensor &shift, const at::Tensor &scale,
                                                 double eps);

// silu(x + bias). x: [...,C], bias: [C] or none -> x's shape and type. float32 and
// bf16 are computed by loops, on a GPU by kernels, of our own with float32 inside.
at::Tensor bias_silu(const at::Tensor &x, const std::optional<at::Tensor> &bias);
// The same into x itself; without gradients.
void bias_silu_(const at::Tensor &x, const std::optional<at::Tensor> &bias);
// x w' + bias. x: [...,I], w: [O,I] -> [...,O], of at::linear's type. Of an O up to 8
// it is computed by loops of our own from float32.
at::Tensor linear(const at::Tensor &x, const at::Tensor &w, const std::optional<at::Tensor> &bias);
// x w' + b + more by several layers of the same x: one after the other, on a GPU by one product.
// more may be none, for all.
std::vector<at::Tensor> linears(const at::Tensor &x, const std::vector<at::Tensor> &w,
                                const std::vector<at::Tensor> &b,
                                const std::vector<at::Tensor> &more);
// linear, and what activates, in bf16 by tiles of AMX, or nothing where the processor, the
// types (or autocast's) or the sizes, which must be multiples of 32, are others.
std::optional<at::Tensor> tiled_linear(const at::Tensor &x, const at::Tensor &w,
                                       const at::Tensor &b, Activation act = Activation::none);
// silu(x w' + bias). Up to 8 outputs, or an x of up to 8 columns for which no gradient
// is wanted, go through loops of our own, and so does what tiled_linear takes; else the
// product is libtorch's.
at::Tensor linear_silu(const at::Tensor &x, const at::Tensor &w,
                       const std::optional<at::Tensor> &bias);
// The same with GELU, by its approximation with tanh.
at::Tensor linear_gelu(const at::Tensor &x, const at::Tensor &w,
                       const std::optional<at::Tensor> &bias);
// linear_silu by such loops, or nothing.
std::optional<at::Tensor> thin_silu(const at::Tensor &x, const at::Tensor &w, const at::Tensor &b);

// How far data points are from the averages of those that their x_t may lead to
// (flow.StableTargets). x0, x1: [B,D], ratio: [B], float32 on the CPU -> [B,D].
at::Tensor stable_target(const at::Tensor &x0, const at::Tensor &x1, const at::Tensor &ratio);

// softmax(scale q k') v. qkv: [B,heads,3,T,C], which q, k and v are slices of, in
// any layout -> [B,heads,T,C], laid out as a slice of [B,heads,1,T,C] would be.
at::Tensor attention(const at::Tensor &qkv, double scale);
// softmax(scale q k' + mask) v, causal: of no later keys. q: [...,L,C], k, v: [...,S,C], mask:
// [...,L,S] or none -> [...,L,C]. libtorch's, where its gradients are as exact as others.
at::Tensor attention_of(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v,
                        const std::optional<at::Tensor> &mask, bool causal, double scale);

// libtorch's convolutions; where channels lie side by side, products by a kernel of one
// element, and of float32 by 3x3 Winograd's algorithm.
at::Tensor conv1d(const at::Tensor &x, const at::Tensor &w, const std::optional<at::Tensor> &b,
                  at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation,
                  int64_t groups);
at::Tensor conv2d(const at::Tensor &x, const at::Tensor &w, const std::optional<at::Tensor> &b,
                  at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation,
                  int64_t groups);
// conv2d by libtorch with a gradient at the weights of our own, from tiles of bf16, where
// that is what is faster: kernels of 3 by 3 elements, channels side by side; or nothing.
std::optional<at::Tensor> conv2d_own_gradient(const at::Tensor &x, const at::Tensor &w,
                                              const std::optional<at::Tensor> &b,
                                              at::IntArrayRef stride, at::IntArrayRef padding,
                                              at::IntArrayRef dilation, int64_t groups);

// Whether Winograd's algorithm is one for such weights, [O,I,KH,KW].
bool winograd_weights(const at::Tensor &w, at::IntArrayRef stride, at::IntArrayRef padding,
                      at::IntArrayRef dilation, int64_t groups);
// The convolution of x, [B,I,H,W], by such weights, or nothing where it would not be faster.
std::optional<at::Tensor> winograd(const at::Tensor &x, const at::Tensor &w,
                                   const std::optional<at::Tensor> &bias);
// The same in two steps, without a gradient: u: [36,I,O] is made of w once.
at::Tensor pack_winograd(const at::Tensor &w);
at::Tensor packed_winograd(const at::Tensor &x, const at::Tensor &u,
                           const std::optional<at::Tensor> &bias);

// Layers whose weights do not change any more, without gradients.
//
// w as products on a processor want it, laid out by oneDNN once instead of in
// every product; w itself where that is not to be had. w: [O,I], float32 or bf16.
at::Tensor pack_linear(const at::Tensor &w);
// x w' + b, activated, of a w that was packed. x: [...,I], b: [O] or none,
// both of the type that w had -> [...,O].
at::Tensor packed_linear(const at::Tensor &x, const at::Tensor &w,
                         const std::optional<at::Tensor> &b, Activation act);
// The same of a convolution. w: [O,I/groups,KH,KW], x: [B,I,H,W].
at::Tensor pack_conv2d(const at::Tensor &w, at::IntArrayRef stride, at::IntArrayRef padding,
                       at::IntArrayRef dilation, int64_t groups);
at::Tensor packed_conv2d(const at::Tensor &x, const at::Tensor &w,
                         const std::optional<at::Tensor> &b, at::IntArrayRef stride,
                         at::IntArrayRef padding, at::IntArrayRef dilation, int64_t groups);
// x w + b of few columns, then SiLU if act, rounded to the type. x: [...,F], w: [F,M],
// b: [M], float32 on the CPU -> [...,M], float32 or bf16.
at::Tensor widen(const at::Tensor &x, const at::Tensor &w, const at::Tensor &b, at::ScalarType to,
                 bool act);
// x w' + b to few columns, in float32. x: [...,M], float32 or bf16, w: [F,M], b: [F],
// float32, all on the CPU -> [...,F], float32.
at::Tensor narrow(const at::Tensor &x, const at::Tensor &w, const at::Tensor &b);

}  // namespace gt

#endif  // CGOTORCH_KERNELS_KERNELS_H_
