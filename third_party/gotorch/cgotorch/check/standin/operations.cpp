// Every operation of the stand-in, by the processor.
#include <ATen/EmptyTensor.h>
#include <ATen/native/DispatchStub.h>
#include <ATen/native/transformers/attention.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <ATen/record_function.h>
#include <torch/library.h>

#include "standin.h"

namespace standin {
namespace {

using c10::IValue;
using Stack = std::vector<IValue>;

bool ours(const at::Tensor &t) { return t.defined() && t.device().type() == kind; }

// The tensor as the processor has it: the same memory.
at::Tensor here(const at::Tensor &t) {
  if (!ours(t)) return t;
  // Not t.data_ptr(), which a copy on write would be made for.
  char *p = static_cast<char *>(real(t.storage().data()));
  if (p) p += t.storage_offset() * static_cast<int64_t>(t.element_size());
  return at::from_blob(p, t.sizes(), t.strides(), t.options().device(at::kCPU));
}

// The same of nothing but zeros.
at::Tensor blank(const at::Tensor &t) {
  if (!ours(t)) return t;
  return at::empty_strided(t.sizes(), t.strides(), t.options().device(at::kCPU)).zero_();
}

at::Tensor unshaped(const at::Tensor &t) { return at::empty({0}, t.options().device(at::kCPU)); }

at::Tensor beside(const at::Tensor &cpu, c10::Device d) {
  return at::empty_strided(cpu.sizes(), cpu.strides(), cpu.options().device(d));
}

using Way = at::Tensor (*)(const at::Tensor &);

IValue translated(const IValue &v, Way way) {
  if (v.isTensor()) return way(v.toTensor());
  if (v.isTensorList()) {
    std::vector<at::Tensor> all = v.toTensorVector();
    for (at::Tensor &t : all) t = way(t);
    return IValue(all);
  }
  if (v.isOptionalTensorList()) {
    c10::List<std::optional<at::Tensor>> all;
    for (const std::optional<at::Tensor> &t : v.toOptionalTensorVector())
      all.push_back(t ? std::optional(way(*t)) : std::nullopt);
    return IValue(all);
  }
  if (v.isDevice() && v.toDevice().type() == kind) return c10::Device(at::kCPU);
  return v;
}

template <class F>
void each_tensor(const Stack &stack, F f) {
  for (const IValue &v : stack) {
    if (v.isTensor()) f(v.toTensor());
    if (v.isTensorList())
      for (const at::Tensor &t : v.toTensorVector()) f(t);
    if (v.isOptionalTensorList())
      for (const auto &t : v.toOptionalTensorVector())
        if (t) f(*t);
  }
}

// The device of the operands, which is one, and which plain numbers need not be on.
c10::Device common(const std::string &name, const Stack &args) {
  std::optional<c10::Device> found;
  each_tensor(args, [&](const at::Tensor &t) {
    if (!t.defined() || (t.is_cpu() && t.dim() == 0)) return;
    if (!found) found = t.device();
    TORCH_CHECK(*found == t.device(), name,
                ": expected all tensors to be on the same device, but found ", *found, " and ",
                t.device());
  });
  for (const IValue &v : args)
    if (!found && v.isDevice()) found = v.toDevice();
  TORCH_CHECK(found && found->type() == kind, name, ": nothing tells on which device");
  if (found->has_index()) return *found;
  return c10::Device(kind, static_cast<c10::DeviceIndex>(current_device()));
}

// What on a GPU cannot be done without knowing numbers on the host.
bool needs_numbers(const std::string &name, const Stack &args) {
  static const std::set<std::string> known = {
      "aten::nonzero",    "aten::masked_select",      "aten::_unique2",
      "aten::unique_dim", "aten::bincount",           "aten::histc",
      "aten::_unique",    "aten::unique_consecutive", "aten::equal",
      "aten::is_nonzero", "aten::repeat_interleave",  "aten::linalg_eigh"};
  if (known.count(name)) return true;
  if (name != "aten::index" && name != "aten::index_put_" && name != "aten::_index_put_impl_")
    return false;
  bool masks = false;
  each_tensor({args.begin() + 1, args.begin() + 2}, [&](const at::Tensor &t) {
    masks |= t.defined() && (t.scalar_type() == at::kBool || t.scalar_type() == at::kByte);
  });
  return masks;
}

// The results of an operation by the processor. What it is given for results it shapes
// itself.
Stack by_processor(const c10::OperatorHandle &op, const Stack &args, Way way) {
  at::AutoDispatchBelowADInplaceOrView below;
  Stack stack, results;
  for (size_t i = 0; i < args.size(); i++) {
    const bool result = op.schema().arguments()[i].is_out() && args[i].isTensor();
    stack.push_back(translated(args[i], result ? unshaped : way));
    if (result) results.push_back(stack.back());
  }
  op.callBoxed(stack);
  // Of several such, libtorch leaves references to what it has given back.
  return results.empty() ? stack : results;
}

// Makes a result that was given what it has to be.
void shape(const at::Tensor &t, const at::Tensor &like) {
  if (t.sizes() == like.sizes()) return;
  const at::Tensor fresh = beside(like, t.device());
  c10::TensorImpl *impl = t.unsafeGetTensorImpl();
  impl->set_storage_keep_dtype(fresh.storage());
  impl->set_storage_offset(0);
  impl->set_sizes_and_strides(fresh.sizes(), fresh.strides());
}

// Where a result is one of the operands (of a type like Tensor(a!)), which.
std::optional<size_t> operand_of(const c10::FunctionSchema &schema, size_t result) {
  const auto *alias = schema.returns()[result].alias_info();
  if (!alias) return {};
  for (size_t i = 0; i < schema.arguments().size(); i++) {
    const auto *of = schema.arguments()[i].alias_info();
    if (of && of->beforeSets() == alias->beforeSets()) return i;
  }
  TORCH_CHECK(false, schema.name(), " is not known to the stand-in: it gives a view");
}

void fill(const IValue &to, const IValue &from) {
  if (to.isTensor()) {
    if (to.toTensor().defined()) here(to.toTensor()).copy_(from.toTensor());
    return;
  }
  auto a = to.toTensorVector(), b = from.toTensorVector();
  for (size_t i = 0; i < a.size(); i++)
    if (a[i].defined()) here(a[i]).copy_(b[i]);
}

void check_generators(const std::string &name, const Stack &args) {
  Tape *tape = recording();
  for (const IValue &v : args)
    TORCH_CHECK(!tape || !v.isGenerator() ||
                    tape->generators.count(v.toGenerator().unsafeGetGeneratorImpl()),
                name, ": Attempt to increase offset for a CUDA generator not in capture mode.");
}

void any(const c10::OperatorHandle &op, Stack *stack) {
  const auto &schema = op.schema();
  const std::string &name = schema.name();
  const Launch launch(name);
  const size_t n = schema.arguments().size();
  const Stack args(stack->end() - static_cast<ptrdiff_t>(n), stack->end());
  stack->resize(stack->size() - n);
  const c10::Device d = common(name, args);
  check_generators(name, args);
  if (needs_numbers(name, args)) waits(name);
  // While a graph is recorded there are no numbers yet, only shapes.
  const bool later = recording();
  Stack results = by_processor(op, args, later ? blank : here), out;
  std::vector<size_t> fresh;
  for (size_t i = 0; i < results.size(); i++) {
    if (auto operand = operand_of(schema, i)) {
      out.push_back(args[*operand]);
      if (!schema.arguments()[*operand].is_out()) continue;
      shape(args[*operand].toTensor(), results[i].toTensor());
      fresh.push_back(i);
      continue;
    }
    fresh.push_back(i);
    if (results[i].isTensor() && results[i].toTensor().defined()) {
      out.emplace_back(beside(results[i].toTensor(), d));
    } else if (results[i].isTensorList()) {
      auto all = results[i].toTensorVector();
      for (at::Tensor &t : all) t = beside(t, d);
      out.emplace_back(all);
    } else {
      out.push_back(results[i]);
    }
  }
  auto keep = [out, fresh](const Stack &from) {
    for (size_t i : fresh)
      if (from[i].isTensor() || from[i].isTensorList()) fill(out[i], from[i]);
  };
  if (later)
    work(name, d.index(), [op, args, keep] { keep(by_processor(op, args, here)); });
  else
    keep(results);
  stack->insert(stack->end(), out.begin(), out.end());
}

// ---- What has no operands there to compute on, or is of storages

at::Tensor empty_strided(at::IntArrayRef sizes, at::IntArrayRef strides,
                         std::optional<at::ScalarType> type, std::optional<at::Layout>,
                         std::optional<at::Device> device, std::optional<bool>) {
  const c10::DeviceGuard guard(device.value());
  return at::detail::empty_strided_generic(sizes, strides, c10::GetAllocator(kind),
                                           c10::DispatchKeySet(c10::DispatchKey::HPU),
                                           type.value_or(at::kFloat));
}

at::Tensor empty(at::IntArrayRef sizes, std::optional<at::ScalarType> type,
                 std::optional<at::Layout>, std::optional<at::Device> device, std::optional<bool>,
                 std::optional<at::MemoryFormat> format) {
  const c10::DeviceGuard guard(device.value());
  return at::detail::empty_generic(sizes, c10::GetAllocator(kind),
                                   c10::DispatchKeySet(c10::DispatchKey::HPU),
                                   type.value_or(at::kFloat), format);
}

at::Tensor copy_from(const at::Tensor &from, const at::Tensor &to, bool non_blocking) {
  const bool crosses = !ours(to) || !ours(from);
  const Launch launch(crosses                                  ? "transfer"
                      : from.scalar_type() != to.scalar_type() ? "cast"
                      : from.strides() != to.strides()         ? "copy into another order"
                                                               : "copy");
  if (crosses && !non_blocking) waits("a copy");
  if (crosses && recording()) {
    recording()->broken = true;
    TORCH_CHECK(false, "CUDA error: operation not permitted when stream is capturing");
  }
  work("a copy", ours(to) ? to.device().index() : from.device().index(),
       [from, to] { here(to).copy_(here(from)); });
  return to;
}

at::Scalar number(const at::Tensor &t) {
  waits("item");
  return here(t).item();
}

// As by cuDNN: all operands in the order of elements of the picture or of the weight, and the bias
// added afterwards, its gradient summed by itself.
at::MemoryFormat order(const at::Tensor &x, const at::Tensor &w) {
  constexpr auto last = at::MemoryFormat::ChannelsLast;
  return x.suggest_memory_format() == last || w.suggest_memory_format() == last
             ? last
             : at::MemoryFormat::Contiguous;
}

at::Tensor convolution(const at::Tensor &x, const at::Tensor &w, const std::optional<at::Tensor> &b,
                       at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation,
                       bool transposed, at::IntArrayRef output_padding, int64_t groups) {
  static const auto op = c10::Dispatcher::singleton().findSchemaOrThrow("aten::convolution", "");
  const auto format = order(x, w);
  Stack stack{x.contiguous(format), w.contiguous(format), IValue(), stride, padding, dilation,
              transposed,           output_padding,       groups};
  any(op, &stack);
  at::Tensor y = stack[0].toTensor();
  if (!b || !b->defined()) return y;
  std::vector<int64_t> shape(y.dim(), 1);
  shape[1] = b->size(0);
  return y.add_(b->view(shape));
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_backward(
    const at::Tensor &dy, const at::Tensor &x, const at::Tensor &w, at::IntArrayRef stride,
    at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed,
    at::IntArrayRef output_padding, int64_t groups, std::array<bool, 3> wanted) {
  static const auto op =
      c10::Dispatcher::singleton().findSchemaOrThrow("aten::convolution_backward", "");
  const auto format = order(x, w);
  Stack stack{dy.contiguous(format),
              x.contiguous(format),
              w.contiguous(format),
              IValue(),
              stride,
              padding,
              dilation,
              transposed,
              output_padding,
              groups,
              c10::List<bool>({wanted[0], wanted[1], false})};
  any(op, &stack);
  std::vector<int64_t> others;
  for (int64_t d = 0; d < dy.dim(); d++)
    if (d != 1) others.push_back(d);
  return {stack[0].toTensor(), stack[1].toTensor(), wanted[2] ? dy.sum(others) : at::Tensor()};
}

// Which of the ways of attention, after a look at what those demand that keep no scores.
int64_t choice(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v,
               const std::optional<at::Tensor> &mask, double dropout, bool, std::optional<double>,
               bool) {
  for (const at::Tensor &t : {q, k, v})
    TORCH_CHECK(
        t.size(-1) == 1 || t.stride(-1) == 1,
        "attention of tokens whose channels do not lie side by side keeps all scores in memory");
  const bool flash = q.dim() == 4 && dropout == 0 && !(mask && mask->defined());
  return static_cast<int64_t>(flash ? at::SDPBackend::overrideable : at::SDPBackend::math);
}

using Sizes = c10::SymInt;

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, Sizes, Sizes, at::Tensor, at::Tensor,
           at::Tensor>
flash(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v,
      const std::optional<at::Tensor> &, double dropout, bool causal, bool,
      std::optional<double> scale) {
  static const auto op = c10::Dispatcher::singleton().findSchemaOrThrow(
      "aten::_scaled_dot_product_flash_attention_for_cpu", "");
  Stack stack{q, k, v, dropout, causal, IValue(), scale};
  any(op, &stack);
  return {stack[0].toTensor(), stack[1].toTensor(), {}, {}, q.size(2), k.size(2), {}, {}, {}};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> flash_backward(
    const at::Tensor &dy, const at::Tensor &q, const at::Tensor &k, const at::Tensor &v,
    const at::Tensor &, std::array<bool, 4>, const at::Tensor &y, const at::Tensor &lse,
    const at::Tensor &, const at::Tensor &, Sizes, Sizes, double dropout, bool causal,
    const at::Tensor &, const at::Tensor &, std::optional<double> scale) {
  static const auto op = c10::Dispatcher::singleton().findSchemaOrThrow(
      "aten::_scaled_dot_product_flash_attention_for_cpu_backward", "");
  Stack stack{dy, q, k, v, y, lse, dropout, causal, IValue(), scale};
  any(op, &stack);
  return {stack[0].toTensor(), stack[1].toTensor(), stack[2].toTensor(), {}};
}

}  // namespace

void work(const std::string &name, int device, std::function<void()> f) {
  Tape *tape = recording();
  if (!tape) return f();
  if (device != tape->device || current_stream(device) != tape->stream) {
    tape->broken = true;
    TORCH_CHECK(false, "CUDA error: ", name, " on stream ", current_stream(device), " of device ",
                device, ", while another one is captured");
  }
  tape->work.push_back(std::move(f));
}

static std::atomic<bool> forbidden{false};
void forbid_waits(bool on) { forbidden = on; }

void waits(const std::string &why) {
  if (Tape *tape = recording()) {
    tape->broken = true;
    TORCH_CHECK(false, "CUDA error: operation not permitted when stream is capturing: ", why);
  }
  TORCH_CHECK(!forbidden, "called a synchronizing CUDA operation: ", why);
}

}  // namespace standin

namespace at::native {
REGISTER_HPU_DISPATCH(_fused_sdp_choice_stub, &standin::choice)
}

TORCH_LIBRARY_IMPL(_, HPU, m) {
  m.fallback(torch::CppFunction::makeFromBoxedFunction<&standin::any>());
}

TORCH_LIBRARY_IMPL(aten, HPU, m) {
  m.impl("empty.memory_format", &standin::empty);
  m.impl("empty_strided", &standin::empty_strided);
  m.impl("_copy_from", &standin::copy_from);
  m.impl("_local_scalar_dense", &standin::number);
  m.impl("convolution_overrideable", &standin::convolution);
  m.impl("convolution_backward_overrideable", &standin::convolution_backward);
  m.impl("view", &at::native::view);
  m.impl("as_strided", &at::native::as_strided_tensorimpl);
  m.impl("_reshape_alias", &at::native::_reshape_alias);
  m.impl("unfold", &at::native::unfold);
  m.impl("_scaled_dot_product_fused_attention_overrideable", &standin::flash);
  m.impl("_scaled_dot_product_fused_attention_overrideable_backward", &standin::flash_backward);
  // What is one operation on a GPU, too, and would else be made up of others here.
  for (const char *name :
       {"native_group_norm", "native_layer_norm", "silu_backward", "_foreach_norm.Scalar",
        "_foreach_mul_.Scalar", "_foreach_mul_.Tensor", "_foreach_add_.List", "_foreach_sub.List",
        "_foreach_lerp_.Scalar", "_foreach_copy_"})
    m.impl(name, torch::CppFunction::makeFromBoxedFunction<&standin::any>());
}

// CUDA's lists (autocast_mode.cpp).
TORCH_LIBRARY_IMPL(_, AutocastHPU, m) { m.fallback(torch::CppFunction::makeFallthrough()); }
#define LOWER(...) KERNEL(c10::DeviceType::HPU, __VA_ARGS__, lower_precision_fp)
#define FLOAT(...) KERNEL(c10::DeviceType::HPU, __VA_ARGS__, fp32)
#define FLOAT_IF_NOT_SAID(...) KERNEL(c10::DeviceType::HPU, __VA_ARGS__, fp32_set_opt_dtype)
#define WIDEST(...) KERNEL(c10::DeviceType::HPU, __VA_ARGS__, promote)
namespace at::autocast {
TORCH_LIBRARY_IMPL(aten, AutocastHPU, m) {
  AT_FORALL_LOWER_PRECISION_FP(LOWER)
  AT_FORALL_FP32(FLOAT)
  AT_FORALL_FP32_SET_OPT_DTYPE(FLOAT_IF_NOT_SAID)
  AT_FORALL_PROMOTE(WIDEST)
}
}  // namespace at::autocast
