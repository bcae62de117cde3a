// Plain C types shared by the C++ part and the Go package.
//
// A tensor travels as a handle: the address of its TensorImpl with one
// reference owned by the handle, or NULL for "no tensor". Every function
// returns its error in its result: err is NULL, or a message whose first letter
// tells its kind (message.h); the caller frees it unless that is m. scope is the
// number of the scope that the calling thread is in (0: none), so that Go knows
// where the new tensor belongs.
#ifndef CGOTORCH_TYPES_H_
#define CGOTORCH_TYPES_H_

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  int8_t kind;   // c10::DeviceType: 0 CPU, 1 CUDA
  int8_t index;  // -1: the current one
} gt_device;
#ifndef __cplusplus
// The names that Go programs know.
typedef gt_device Device;
typedef void *CUDAStream;
typedef void *Optimizer;
#endif

// What a new tensor is to be.
typedef struct {
  int8_t dtype;
  gt_device device;
  bool pinned;
} gt_options;

// A handle as a number: cgo looks into every pointer that Go passes.
typedef uintptr_t gt_handle;

typedef struct {
  char *err;
} gt_r0;
typedef struct {
  void *t[1];
  char *err;
  uint32_t scope;
} gt_r1;
typedef struct {
  void *t[2];
  char *err;
  uint32_t scope;
} gt_r2;
typedef struct {
  void *t[3];
  char *err;
  uint32_t scope;
} gt_r3;
typedef struct {
  void **t;  // malloc'ed, n handles
  int64_t n;
  char *err;
  uint32_t scope;
} gt_rl;
typedef struct {
  int64_t v;
  char *err;
} gt_ri;
typedef struct {
  double v;
  char *err;
} gt_rf;
typedef struct {
  bool v;
  char *err;
} gt_rb;
typedef struct {
  void *p;
  char *err;
} gt_rp;
typedef struct {
  char *s;  // malloc'ed, NUL-terminated
  char *err;
} gt_rs;

// Everything about a tensor but its elements.
typedef struct {
  int64_t dim;
  int64_t numel;
  int64_t sizes[16];
  int8_t dtype;
  gt_device device;
  bool defined;
  bool requires_grad;
  bool contiguous;
  char *err;
} gt_info;

// Counts since the library was loaded; bytes are of the CPU allocator.
typedef struct {
  int64_t handles_made;
  int64_t handles_freed;
  int64_t bytes_used;    // in blocks handed out
  int64_t bytes_peak;    // the most that bytes_used has been
  int64_t bytes_cached;  // in blocks kept for reuse
  int64_t block_hits;    // requests served from kept blocks
  int64_t block_misses;  // requests that went to the system
  int64_t faults;        // allocations that gt_fail_allocations has still to make fail
} gt_stats;

typedef struct {
  int64_t allocated;  // bytes in tensors
  int64_t allocated_peak;
  int64_t reserved;  // bytes taken from the device
  int64_t free;      // bytes free on the device
  int64_t total;     // bytes that the device has
  int major, minor;  // compute capability
  char name[256];
  char *err;
} gt_cuda_info;

// Whether a GPU runs the binding's own kernels, and where their machine code comes from.
typedef struct {
  bool ready;
  double seconds;           // that compiling took
  int32_t compiled, found;  // programs that were compiled, and found compiled
  char architecture[16];    // "sm_90"
  char *why;                // not; malloc'ed, as are the others
  char *log;                // what the compiler said
  char *folder;             // where they are kept, or ""
  char *not_kept;           // why they could not be kept there, or ""
  char *err;
} gt_kernels;

#ifdef __cplusplus
}
#endif
#endif  // CGOTORCH_TYPES_H_
