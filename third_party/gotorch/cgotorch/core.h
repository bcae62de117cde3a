// The functions written by hand; ops_gen.h lists the generated ones.
// X(result, name, (parameters), (arguments))
// After a change run go generate: Go does not see by itself that a header has changed.
#ifndef CGOTORCH_CORE_H_
#define CGOTORCH_CORE_H_

#include "types.h"

// clang-format off
#define GT_CORE(X)                                                             \
  /* setup.cc: the library as a whole */                                       \
  X(gt_rs, gt_setup, (bool cache_blocks), (cache_blocks))                      \
  X(gt_rs, gt_build_info, (void), ())                                          \
  X(gt_rs, gt_take_warnings, (void), ())                                       \
  X(gt_r0, gt_set_threads, (int64_t n), (n))                                   \
  X(gt_ri, gt_get_threads, (void), ())                                         \
  X(gt_stats, gt_get_stats, (void), ())                                        \
  X(gt_rp, gt_bytes_used, (void), ())                                          \
  X(gt_r0, gt_reset_peak, (void), ())                                          \
  X(gt_r0, gt_empty_cache, (void), ())                                         \
  X(gt_r0, gt_set_memory_limit, (int64_t bytes), (bytes))                      \
  X(gt_rf, gt_bench, (int64_t what, int64_t n, gt_handle x, gt_handle w, gt_handle b), (what, n, x, w, b)) \
  X(gt_r0, gt_fail_allocations, (int64_t n, int64_t count), (n, count))        \
  X(gt_r0, gt_trace, (bool on), (on))                                          \
  X(gt_r0, gt_profile_start, (void), ())                                       \
  X(gt_rs, gt_profile_stop, (void), ())                                        \
  X(gt_ri, gt_matmul_precision, (int64_t mode), (mode))                        \
  X(gt_r0, gt_deterministic, (bool on), (on))                                  \
  X(gt_r0, gt_throw_in_destructor, (void), ())                                 \
  /* launcher.cc: kernels of our own on a GPU */                               \
  X(gt_r0, gt_set_kernels, (void *kernels, const char *folder), (kernels, folder)) \
  X(gt_kernels, gt_get_kernels, (gt_device d, const char *programs), (d, programs)) \
  /* scope.cc: where new tensors belong, and their end */                      \
  X(gt_ri, gt_scope_enter, (int64_t id, int64_t threads), (id, threads))       \
  X(gt_r0, gt_scope_leave, (int64_t before), (before))                         \
  X(gt_ri, gt_share, (int64_t n), (n))                                         \
  X(gt_ri, gt_scope_current, (void), ())                                       \
  X(gt_r0, gt_free, (gt_handle *h, int64_t n), (h, n))                         \
  X(void, gt_close, (gt_handle h), (h))                                        \
  /* tensor.cc: data in and out */                                             \
  X(gt_r1, gt_from_data, (const void *data, int8_t dtype, const int64_t *sizes, int64_t n), (data, dtype, sizes, n)) \
  X(gt_r0, gt_copy_in, (void *t, const void *data, int64_t bytes), (t, data, bytes)) \
  X(gt_r0, gt_copy_out, (void *t, void *data, int64_t bytes), (t, data, bytes)) \
  X(gt_info, gt_tensor_info, (gt_handle t), (t))                               \
  X(gt_rf, gt_item, (void *t), (t))                                            \
  X(gt_ri, gt_item_int, (void *t), (t))                                        \
  X(gt_rs, gt_string, (void *t), (t))                                          \
  X(gt_rp, gt_data_ptr, (void *t), (t))                                        \
  /* autograd.cc */                                                            \
  X(gt_r0, gt_backward, (void *t, void *grad), (t, grad))                      \
  X(gt_rl, gt_autograd_grad, (void **outs, int64_t nouts, void **ins, int64_t nins, void **grads, bool retain_graph, bool create_graph), (outs, nouts, ins, nins, grads, retain_graph, create_graph)) \
  X(gt_r1, gt_grad, (void *t), (t))                                            \
  X(gt_r0, gt_set_grad, (void *t, void *grad), (t, grad))                      \
  X(gt_r0, gt_set_requires_grad, (void *t, bool on), (t, on))                  \
  X(gt_r0, gt_set_data, (void *t, void *data), (t, data))                      \
  X(gt_rb, gt_get_grad_mode, (void), ())                                       \
  X(gt_rb, gt_set_grad_mode, (bool on), (on))                                  \
  X(gt_ri, gt_autocast_enter, (int8_t device, int8_t dtype), (device, dtype))  \
  X(gt_r0, gt_autocast_leave, (int8_t device, int64_t previous), (device, previous)) \
  /* optim.cc */                                                               \
  X(gt_r0, gt_zero_grad, (void **params, int64_t n), (params, n))              \
  X(gt_r1, gt_grad_norm, (void **params, int64_t n), (params, n))              \
  X(gt_r0, gt_scale_grads, (void **params, int64_t n, void *factor), (params, n, factor)) \
  X(gt_r0, gt_adamw, (void **params, void **exp_avgs, void **exp_avg_sqs, int64_t n, void *step, double lr, void *lr_there, double beta1, double beta2, double eps, double weight_decay, void *grad_scale, void *found_inf, void **averages, double weight), (params, exp_avgs, exp_avg_sqs, n, step, lr, lr_there, beta1, beta2, eps, weight_decay, grad_scale, found_inf, averages, weight)) \
  X(gt_rb, gt_adamw_on_device, (void **params, void **exp_avgs, void **exp_avg_sqs, int64_t n, void *count, double beta1, double beta2, double eps, double weight_decay, double max_norm, void *loss, void *rates, void *weights, void *next, void *notes, void **averages), (params, exp_avgs, exp_avg_sqs, n, count, beta1, beta2, eps, weight_decay, max_norm, loss, rates, weights, next, notes, averages)) \
  X(gt_r0, gt_lerp_all, (void **dst, void **src, int64_t n, double weight, void *weight_there), (dst, src, n, weight, weight_there)) \
  X(gt_r0, gt_copy_all, (void **dst, void **src, int64_t n), (dst, src, n))    \
  /* rounded.cc */                                                             \
  X(gt_rl, gt_rounded_new, (void **params, int64_t n), (params, n))            \
  X(gt_r0, gt_rounded_drop, (void **params, int64_t n), (params, n))           \
  X(gt_ri, gt_rounded_refresh, (void **params, int64_t n), (params, n))        \
  X(gt_rb, gt_rounded_use, (bool on), (on))                                    \
  X(gt_r0, gt_add_grads, (void **params, int64_t n, void **grads, int64_t lists), (params, n, grads, lists)) \
  /* optimizer.cc */                                                           \
  X(gt_rp, gt_sgd_new, (double lr, double momentum, double dampening, double weight_decay, bool nesterov), (lr, momentum, dampening, weight_decay, nesterov)) \
  X(gt_rp, gt_adam_new, (double lr, double beta1, double beta2, double weight_decay), (lr, beta1, beta2, weight_decay)) \
  X(gt_r0, gt_optimizer_add, (void *o, void **params, int64_t n), (o, params, n)) \
  X(gt_r0, gt_optimizer_zero_grad, (void *o), (o))                             \
  X(gt_r0, gt_optimizer_step, (void *o), (o))                                  \
  X(gt_r0, gt_optimizer_set_lr, (void *o, double lr), (o, lr))                 \
  X(gt_r0, gt_optimizer_free, (void *o), (o))                                  \
  /* random.cc */                                                              \
  X(gt_r0, gt_manual_seed, (int64_t seed), (seed))                             \
  X(gt_rp, gt_generator_new, (gt_device device, uint64_t seed), (device, seed))   \
  X(gt_r0, gt_generator_seed, (void *g, uint64_t seed), (g, seed))             \
  X(gt_r0, gt_generator_free, (void *g), (g))

// cuda.cc, in a library of its own.
#define GT_CUDA(X)                                                             \
  X(gt_ri, gt_cuda_device_count, (void), ())                                   \
  X(gt_cuda_info, gt_cuda_device_info, (int64_t device), (device))             \
  X(gt_cuda_info, gt_cuda_memory, (int64_t device), (device))                  \
  X(gt_r0, gt_cuda_synchronize, (int64_t device), (device))                    \
  X(gt_r0, gt_cuda_empty_cache, (void), ())                                    \
  X(gt_r0, gt_cuda_reset_peak, (int64_t device), (device))                     \
  X(gt_rb, gt_cuda_has_cudnn, (void), ())                                      \
  X(gt_r0, gt_cuda_trace, (bool on), (on))                                     \
  X(gt_rp, gt_cuda_stream_new, (int64_t device), (device))                     \
  X(gt_rp, gt_cuda_stream_current, (int64_t device), (device))                 \
  X(gt_r0, gt_cuda_stream_set, (void *s), (s))                                 \
  X(gt_ri, gt_cuda_stream_device, (void *s), (s))                              \
  X(gt_ri, gt_cuda_device, (void), ())                                         \
  X(gt_r0, gt_cuda_set_device, (int64_t device), (device))                     \
  X(gt_r0, gt_cuda_stream_synchronize, (void *s), (s))                         \
  X(gt_rb, gt_cuda_stream_query, (void *s), (s))                               \
  X(gt_r0, gt_cuda_stream_wait, (void *s, void *event), (s, event))            \
  X(gt_rp, gt_cuda_event_new, (bool timing), (timing))                         \
  X(gt_r0, gt_cuda_event_record, (void *e, void *s), (e, s))                   \
  X(gt_r0, gt_cuda_event_synchronize, (void *e), (e))                          \
  X(gt_rf, gt_cuda_event_elapsed, (void *start, void *end), (start, end))      \
  X(gt_r0, gt_cuda_event_free, (void *e), (e))                                 \
  X(gt_rp, gt_cuda_graph_new, (void), ())                                      \
  X(gt_r0, gt_cuda_graph_register, (void *g, void *generator), (g, generator)) \
  X(gt_r0, gt_cuda_graph_begin, (void *g), (g))                                \
  X(gt_r0, gt_cuda_graph_end, (void *g), (g))                                  \
  X(gt_r0, gt_cuda_graph_abandon, (void *g), (g))                              \
  X(gt_r0, gt_cuda_graph_replay, (void *g), (g))                               \
  X(gt_ri, gt_cuda_graph_nodes, (void *g, bool kernels), (g, kernels))         \
  X(gt_r0, gt_cuda_graph_free, (void *g), (g))                                 \
  X(gt_r0, gt_cuda_forbid_waits, (bool on), (on))                              \
  X(gt_rp, gt_cuda_kernels, (void), ())
// clang-format on

#endif  // CGOTORCH_CORE_H_
