// What the Go package calls: one table of function pointers, filled when the
// libraries are opened, and an inline function c_<name> for each slot.
#ifndef CGOTORCH_SHIM_H_
#define CGOTORCH_SHIM_H_

#include "core.h"
#include "ops_gen.h"

struct gt_table {
#define GT_SLOT(ret, name, params, args) ret(*name) params;
  GT_CORE(GT_SLOT)
  GT_OPS(GT_SLOT)
  GT_CUDA(GT_SLOT)
#undef GT_SLOT
};

extern struct gt_table gt_fn;

#define GT_SHIM(ret, name, params, args) \
  static inline ret c_##name params { return gt_fn.name args; }
GT_CORE(GT_SHIM)
GT_OPS(GT_SHIM)
GT_CUDA(GT_SHIM)
#undef GT_SHIM

// Opens a library and keeps it open; NULL or a malloc'ed message.
char *gt_dlopen(const char *path, bool global);
// Fills the slots of the CPU part or of the CUDA part from a library.
char *gt_fill(const char *path, bool cuda);

#endif  // CGOTORCH_SHIM_H_
