// What the optimisers share.
#ifndef CGOTORCH_OPTIM_H_
#define CGOTORCH_OPTIM_H_

#include "internal.h"

namespace gt {

// The gradient of param, its elements in param's order; undefined if there is
// none.
at::Tensor gradient(const at::Tensor &param);
// t, which a step reads and writes, with its elements brought into param's order.
at::Tensor moment(const at::Tensor &t, const at::Tensor &param, const char *what);

}  // namespace gt

#endif  // CGOTORCH_OPTIM_H_
