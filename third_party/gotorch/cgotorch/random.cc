// Generators: a pointer to an at::Generator of its own.
#include <mutex>

#include "core.h"
#include "internal.h"

GT_EXPORT gt_r0 gt_manual_seed(int64_t seed) {
  return gt::none([&] { at::manual_seed(static_cast<uint64_t>(seed)); });
}

GT_EXPORT gt_rp gt_generator_new(gt_device device, uint64_t seed) {
  return gt::pointer([&]() -> void * {
    auto d = gt::device(device);
    auto g = at::globalContext().defaultGenerator(d).clone();
    {
      std::lock_guard<std::mutex> lock(g.mutex());
      g.set_current_seed(seed);
    }
    return new at::Generator(g);
  });
}

GT_EXPORT gt_r0 gt_generator_seed(void *g, uint64_t seed) {
  return gt::none([&] {
    auto &gen = *static_cast<at::Generator *>(g);
    std::lock_guard<std::mutex> lock(gen.mutex());
    gen.set_current_seed(seed);
  });
}

GT_EXPORT gt_r0 gt_generator_free(void *g) {
  return gt::none([&] { delete static_cast<at::Generator *>(g); });
}
