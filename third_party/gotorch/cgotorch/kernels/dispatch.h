// Which loops the processor at hand runs, and how operands are read by them.
#ifndef CGOTORCH_KERNELS_DISPATCH_H_
#define CGOTORCH_KERNELS_DISPATCH_H_

#include <ATen/cpu/Utils.h>

#include <cctype>
#include <cstdlib>
#include <string>
#include <string_view>

#include "pch.h"

namespace gt {

// One of an operation's loops. ATEN_CPU_CAPABILITY, which restricts libtorch,
// restricts these, too.
template <class Loops>
const Loops &for_processor(const Loops &base, const Loops &avx2, const Loops &avx512,
                           const Loops &avx512bf16) {
  std::string can = at::get_cpu_capability();
  if (can == "AVX512" && __builtin_cpu_supports("avx512bf16")) return avx512bf16;
  if (can == "AVX512") return avx512;
  if (can == "AVX2") return avx2;
  return base;
}

// Whether oneDNN may use what of two kinds of instructions is named in limit; "": what
// the processor has. limit: ONEDNN_MAX_CPU_ISA, or DNNL_MAX_CPU_ISA, its older name; of
// a name that is none oneDNN takes no notice. CPUFlags (cpu.go) has the same rules.
struct Allowed {
  bool bf16 = true, tiles = true;

  static Allowed by(std::string limit) {
    for (char &c : limit) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    auto ends = [&](std::string_view with) { return limit.ends_with(with); };
    Allowed may;
    if (limit.find("AMX") != std::string::npos) return may;
    bool later = ends("_BF16") || ends("_FP16") || limit.starts_with("AVX10");
    bool older = limit.starts_with("AVX512_CORE") || limit.starts_with("AVX2") || limit == "AVX" ||
                 limit == "SSE41";
    may.tiles = !later && !older;
    may.bf16 = later || !older;
    return may;
  }
  static const Allowed &here() {
    static const Allowed a = [] {
      const char *v = std::getenv("ONEDNN_MAX_CPU_ISA");
      if (!v) v = std::getenv("DNNL_MAX_CPU_ISA");
      return by(v ? v : "");
    }();
    return a;
  }
};

// Whether there are products of tiles of bf16, which must be asked of the kernel
// once. What restricts oneDNN's use of them restricts ours, too.
inline bool tiles() {
  static const bool there = Allowed::here().tiles && at::get_cpu_capability() == "AVX512" &&
                            __builtin_cpu_supports("avx512bf16") &&
                            __builtin_cpu_supports("amx-bf16") && at::cpu::init_amx();
  return there;
}

inline std::optional<at::Tensor> optional(const at::Tensor &t) {
  return t.defined() ? std::optional<at::Tensor>(t) : std::nullopt;
}
inline at::Tensor or_none(const std::optional<at::Tensor> &t) { return t.value_or(at::Tensor()); }

// t as the loops read parameters, or nothing.
inline at::Tensor flat(const at::Tensor &t) {
  return t.defined() ? t.to(at::kFloat).contiguous() : at::Tensor();
}
inline const float *numbers(const at::Tensor &t) {
  return t.defined() ? t.const_data_ptr<float>() : nullptr;
}

// Whether x's channels, its second dimension, lie side by side, without gaps:
// x.movedim(1, -1).is_contiguous(), without the operations of which a step had hundreds.
inline bool channels_beside(const at::Tensor &x) {
  at::IntArrayRef sizes = x.sizes(), strides = x.strides();
  int64_t dense = 1;
  auto next = [&](int64_t d) {
    bool fits = sizes[d] == 1 || strides[d] == dense;
    dense *= sizes[d];
    return fits;
  };
  if (x.dim() < 2 || !next(1)) return false;
  for (int64_t d = x.dim() - 1; d > 1; d--)
    if (!next(d)) return false;
  return next(0);
}

// Whether the loops compute with elements of x.
inline bool computed(const at::Tensor &x) {
  return x.device().is_cpu() && x.numel() > 0 && x.layout() == at::kStrided &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

}  // namespace gt

#endif  // CGOTORCH_KERNELS_DISPATCH_H_
