// Data in and out of tensors.
#include <sstream>

#include "core.h"
#include "internal.h"

using gt::Borrowed;

GT_EXPORT gt_r1 gt_from_data(const void *data, int8_t dtype, const int64_t *sizes, int64_t n) {
  return gt::one([&] {
    at::NoGradGuard guard;
    auto t = at::empty(gt::ints(sizes, n), at::TensorOptions().dtype(gt::dtype(dtype)));
    if (t.numel()) std::memcpy(t.data_ptr(), data, t.nbytes());
    return t;
  });
}

static void check_bytes(const at::Tensor &t, int64_t bytes) {
  TORCH_CHECK(static_cast<int64_t>(t.numel() * t.element_size()) == bytes, "tensor of ", t.sizes(),
              " has ", t.numel() * t.element_size(), " bytes, the data ", bytes);
}

GT_EXPORT gt_r0 gt_copy_in(void *t, const void *data, int64_t bytes) {
  return gt::none([&] {
    at::NoGradGuard guard;
    Borrowed d_(t);
    const at::Tensor &d = d_;
    check_bytes(d, bytes);
    if (!bytes) return;
    if (d.is_cpu() && d.is_contiguous()) {
      std::memcpy(d.data_ptr(), data, bytes);
      d.unsafeGetTensorImpl()->bump_version();  // autograd notices, as after copy_
      return;
    }
    auto src = at::from_blob(const_cast<void *>(data), d.sizes(), d.options().device(at::kCPU));
    d.copy_(src);
  });
}

GT_EXPORT gt_r0 gt_copy_out(void *t, void *data, int64_t bytes) {
  return gt::none([&] {
    at::NoGradGuard guard;
    auto s = Borrowed(t).t.detach().to(at::kCPU).contiguous();
    check_bytes(s, bytes);
    if (bytes) std::memcpy(data, s.data_ptr(), bytes);
  });
}

GT_EXPORT gt_info gt_tensor_info(gt_handle h) {
  return gt::guarded<gt_info>([&](gt_info &r) {
    Borrowed t_(h);
    const at::Tensor &t = t_;
    r.dtype = -1;
    r.defined = t.defined();
    if (!r.defined) return;
    TORCH_CHECK(t.dim() <= 16, "a tensor of ", t.dim(), " dimensions is beyond this binding");
    r.dim = t.dim();
    r.numel = t.numel();
    for (int64_t i = 0; i < t.dim(); i++) r.sizes[i] = t.size(i);
    r.dtype = static_cast<int8_t>(t.scalar_type());
    r.device.kind = static_cast<int8_t>(t.device().type());
    r.device.index = t.device().index();
    r.requires_grad = t.requires_grad();
    r.contiguous = t.is_contiguous();
  });
}

GT_EXPORT gt_rf gt_item(void *t) {
  return gt::real([&] { return Borrowed(t).t.item().toDouble(); });
}

GT_EXPORT gt_ri gt_item_int(void *t) {
  return gt::integer([&] { return Borrowed(t).t.item().toLong(); });
}

GT_EXPORT gt_rs gt_string(void *h) {
  return gt::text([&] {
    Borrowed t_(h);
    const at::Tensor &t = t_;
    std::ostringstream s;
    // A plain 0-dimensional double prints 17 digits; six, as all others do.
    if (t.defined() && t.dim() == 0 && t.scalar_type() == at::kDouble)
      s << t.item<double>() << "\n[ " << t.toString() << "{} ]";
    else
      s << t;
    return s.str();
  });
}

GT_EXPORT gt_rp gt_data_ptr(void *t) {
  return gt::pointer([&] { return Borrowed(t).t.data_ptr(); });
}
