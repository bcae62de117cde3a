#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "cgotorch/shim.h"

struct gt_table gt_fn;

char *gt_dlopen(const char *path, bool global) {
  if (dlopen(path, RTLD_NOW | (global ? RTLD_GLOBAL : RTLD_LOCAL))) return NULL;
  const char *why = dlerror();
  return strdup(why ? why : "unknown error");
}

char *gt_fill(const char *path, bool cuda) {
  void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!lib) {
    const char *why = dlerror();
    return strdup(why ? why : "unknown error");
  }
#define GT_FILL(ret, name, params, args)                     \
  if (!(gt_fn.name = (ret(*) params)dlsym(lib, #name)))      \
    return strdup("it lacks " #name ": built from another version; run scripts/build");
  if (cuda) {
    GT_CUDA(GT_FILL)
  } else {
    GT_CORE(GT_FILL)
    GT_OPS(GT_FILL)
  }
  return NULL;
}
