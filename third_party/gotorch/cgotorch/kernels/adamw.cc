// Passes over all parameters at once, by all cores.
#include <ATen/record_function.h>

#include "dispatch.h"
#include "fused.h"
#include "parallel.h"

namespace gt {
namespace {

const AdamWLoops &loops() {
  static const AdamWLoops &chosen =
      for_processor(adamw_base, adamw_avx2, adamw_avx512, adamw_avx512bf16);
  return chosen;
}

// Calls body(operands, begin, end) for parts of all of them, which every thread has
// as many elements of: whole units of them, but at an end.
template <int64_t unit = AdamWLoops::unit, class Operands, class Body>
void shared(const std::vector<Operands> &all, const Body &body) {
  std::vector<int64_t> starts = {0};  // in units, of each and of what comes after the last
  for (const Operands &t : all) starts.push_back(starts.back() + (t.n + unit - 1) / unit);
  in_parallel(starts.back(), (1 << 14) / unit, [&](int64_t begin, int64_t end, int64_t) {
    auto at = std::upper_bound(starts.begin(), starts.end(), begin) - starts.begin() - 1;
    for (; begin < end; at++) {
      const Operands &t = all[at];
      int64_t to = std::min(end, starts[at + 1]);
      body(t, (begin - starts[at]) * unit, std::min(t.n, (to - starts[at]) * unit));
      begin = to;
    }
  });
}

}  // namespace

void step_all(const AdamW &o, const std::vector<AdamWOperands> &all) {
  RECORD_FUNCTION("gotorch::adamw", std::vector<c10::IValue>());
  shared(all, [&](const AdamWOperands &t, int64_t begin, int64_t end) {
    loops().step(o, t, begin, end);
  });
}

void round_all(const std::vector<AdamWOperands> &all) {
  if (all.empty()) return;
  RECORD_FUNCTION("gotorch::round", std::vector<c10::IValue>());
  shared(all,
         [&](const AdamWOperands &t, int64_t begin, int64_t end) { loops().round(t, begin, end); });
}

void sum_all(const std::vector<GradSum> &all) {
  if (all.empty()) return;
  RECORD_FUNCTION("gotorch::add_grads", std::vector<c10::IValue>());
  shared(all, [&](const GradSum &s, int64_t begin, int64_t end) { loops().sum(s, begin, end); });
}

float norm_of_all(const std::vector<at::Tensor> &all) {
  RECORD_FUNCTION("gotorch::norm", std::vector<c10::IValue>());
  constexpr int64_t block = Squares::block;
  std::vector<Squares> parts;
  int64_t blocks = 0;
  for (const at::Tensor &t : all) {
    parts.push_back({t.numel(), t.const_data_ptr<float>(), nullptr});
    blocks += (t.numel() + block - 1) / block;
  }
  std::vector<float> sums(blocks);
  float *to = sums.data();
  for (Squares &s : parts) s.sums = to, to += (s.n + block - 1) / block;
  shared<block>(parts, [&](const Squares &s, int64_t begin, int64_t end) {
    loops().squares(s, begin / block, (end + block - 1) / block);
  });
  double sum = 0;
  for (float s : sums) sum += s;
  return static_cast<float>(std::sqrt(sum));
}

bool alongside(const at::Tensor &p, const at::Tensor &t, bool half_too) {
  return !t.defined() ||
         (t.device() == p.device() && t.layout() == at::kStrided && t.sizes() == p.sizes() &&
          t.strides() == p.strides() &&
          (t.scalar_type() == at::kFloat || (half_too && t.scalar_type() == at::kBFloat16)));
}

bool sums(const at::Tensor &p, const at::Tensor &to, const std::vector<at::Tensor> &parts) {
  if (!p.is_cpu() || !alongside(p, p, false) || !p.is_non_overlapping_and_dense() ||
      !alongside(p, to, false) || parts.size() > GradSum::most)
    return false;
  return std::all_of(parts.begin(), parts.end(),
                     [&](const at::Tensor &t) { return alongside(p, t, true); });
}

}  // namespace gt
