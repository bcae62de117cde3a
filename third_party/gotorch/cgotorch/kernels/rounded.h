// Parameters' roundings to bf16, which are kept from step to step.
//
// Autocast casts every weight in every step. A parameter that has a rounding is cast by
// the optimiser, while it has the weight at hand, or on a GPU without kernels of our own
// together with all others before the step, and gt::linear and the convolutions multiply by that.
// The rounding is a leaf of its own: the gradient that reaches it is in bf16, and gt_add_grads adds
// it to the parameter's.
//
// A rounding is of the parameter's elements at one version. What changes them counts
// the version on (libtorch's operations, and gt_copy_in) or gives them another place
// (set_data); a rounding of another version or place is not used.
#ifndef CGOTORCH_KERNELS_ROUNDED_H_
#define CGOTORCH_KERNELS_ROUNDED_H_

#include "pch.h"

namespace gt {

// Hangs at the parameter, and goes with it.
class Rounded final : public c10::BackendMeta {
 public:
  explicit Rounded(const at::Tensor &param);
  // That of param, or null. One that shares a parameter's elements has none.
  static Rounded *of(const at::Tensor &param);

  bool fits(const at::Tensor &param) const;  // false after a change of shape or layout
  bool fresh(const at::Tensor &param) const;
  void now(const at::Tensor &param);  // it is that of the parameter as it is
  // A graph's replay changes parameters of a device, and no version tells. What updates them
  // says whether it has changed their roundings, too: if one thing has not, they are never
  // trusted again.
  void updated(bool too) {
    left_ |= !too;
    kept_ = !left_;
  }
  bool kept() const { return kept_; }
  const at::Tensor half;  // as the parameter lies in memory

 private:
  const c10::TensorImpl *const param_;
  bool known_ = false;  // of which version it is
  uint32_t version_ = 0;
  const void *place_ = nullptr;
  bool kept_ = false, left_ = false;
};

// The rounding of w where products are to take it (gt_rounded_use), else w.
at::Tensor rounded(const at::Tensor &w);
inline std::optional<at::Tensor> rounded(const std::optional<at::Tensor> &w) {
  return w ? std::optional<at::Tensor>(rounded(*w)) : w;
}

}  // namespace gt

#endif  // CGOTORCH_KERNELS_ROUNDED_H_
