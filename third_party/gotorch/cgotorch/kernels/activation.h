// What follows a linear layer's product.
#ifndef CGOTORCH_KERNELS_ACTIVATION_H_
#define CGOTORCH_KERNELS_ACTIVATION_H_

namespace gt {

enum class Activation { none, silu, gelu };  // gelu: its approximation with tanh

}  // namespace gt

#endif  // CGOTORCH_KERNELS_ACTIVATION_H_
