#include "launcher.h"

#include <atomic>

namespace gt {

static std::atomic<Launcher *> the_launcher{nullptr};

Launcher *launcher() { return the_launcher.load(std::memory_order_acquire); }
void set_launcher(Launcher *l) { the_launcher.store(l, std::memory_order_release); }

}  // namespace gt
