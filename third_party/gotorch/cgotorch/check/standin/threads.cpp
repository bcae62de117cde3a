// The threads of a block, on the processor.
#include "threads.h"

#include <sys/mman.h>

#include <mutex>
#include <random>

Index threadIdx, blockIdx, blockDim, gridDim;

// What blocks share begins and ends there: the linker's names.
extern char __start_block_shared[] __attribute__((visibility("hidden")));
extern char __stop_block_shared[] __attribute__((visibility("hidden")));

// Goes on where to was left, on its stack; from: where the caller is left.
extern "C" void standin_switch(void **from, void *to);
asm(R"(
.text
.local standin_switch
.type standin_switch, @function
standin_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size standin_switch, .-standin_switch
)");

namespace standin {
namespace {

constexpr size_t most = 1024, stack = size_t{64} << 10;

enum class Order { ascending, reversed, shuffled };

Order order() {
  const char *v = std::getenv("GOTORCH_STANDIN_ORDER");
  const std::string wanted = v ? v : "";
  TORCH_CHECK(wanted.empty() || wanted == "reversed" || wanted == "shuffled",
              "GOTORCH_STANDIN_ORDER is ", wanted, ", not reversed or shuffled");
  return wanted.empty()         ? Order::ascending
         : wanted == "reversed" ? Order::reversed
                                : Order::shuffled;
}

class Block {
 public:
  Block()
      : stacks_(static_cast<char *>(mmap(nullptr, most * stack, PROT_READ | PROT_WRITE,
                                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {
    TORCH_CHECK(stacks_ != MAP_FAILED, "the stand-in finds no addresses");
  }

  void run(uint32_t threads, Order order, const std::function<void()> &kernel) {
    std::memset(__start_block_shared, 0xff, __stop_block_shared - __start_block_shared);
    kernel_ = &kernel, error_ = nullptr;
    std::vector<uint32_t> turns(threads);
    for (uint32_t i = 0; i < threads; i++)
      turns[i] = order == Order::reversed ? threads - 1 - i : i;
    for (uint32_t i = 0; i < threads; i++) {
      // What standin_switch takes off the stack, and where it returns to.
      auto top = reinterpret_cast<void **>(stacks_ + (i + 1) * stack);
      *--top = nullptr, *--top = reinterpret_cast<void *>(&enter);
      for (int r = 0; r < 6; r++) *--top = nullptr;
      left_[i] = top;
    }
    for (size_t ended = 0; ended < threads;) {
      if (order == Order::shuffled) std::shuffle(turns.begin(), turns.end(), random_);
      ended = 0;
      for (uint32_t i : turns) {
        threadIdx = {i, 0, 0}, ended_ = false;
        standin_switch(&scheduler_, left_[i]);
        if (error_) std::rethrow_exception(error_);
        ended += ended_;
      }
      TORCH_CHECK(ended == 0 || ended == threads,
                  "some threads of a block end where others wait for them");
    }
  }

  void wait() { standin_switch(&left_[threadIdx.x], scheduler_); }

 private:
  static void enter();

  char *stacks_;
  void *scheduler_ = nullptr, *left_[most] = {};
  const std::function<void()> *kernel_ = nullptr;
  std::exception_ptr error_;
  bool ended_ = false;
  std::mt19937 random_;
};

std::mutex one;  // at a time computes
Block &block() {
  static auto *b = new Block;
  return *b;
}
const std::vector<Span> *allowed;  // in their order

void Block::enter() {
  Block &b = block();
  try {
    (*b.kernel_)();
  } catch (...) {
    b.error_ = std::current_exception();
  }
  b.ended_ = true;
  b.wait();
}

}  // namespace

void wait_for_block() { block().wait(); }

void check_access(const void *p, size_t size) {
  const char *at = static_cast<const char *>(p);
  TORCH_CHECK(reinterpret_cast<uintptr_t>(p) % size == 0, "misaligned address: ", size,
              " bytes at ", p);
  const auto after = std::upper_bound(allowed->begin(), allowed->end(), at,
                                      [](const char *p, const Span &s) { return p < s.begin; });
  if (after != allowed->begin() && at + size <= after[-1].end) return;
  TORCH_CHECK(false, "an illegal memory access: ", size, " bytes by thread ", threadIdx.x,
              " of block ", blockIdx.x, ", ", blockIdx.y, ", ", blockIdx.z);
}

void run_threads(gt::Blocks blocks, uint32_t threads, const std::vector<Span> &spans,
                 const std::function<void()> &kernel) {
  TORCH_CHECK(blocks.x && blocks.y && blocks.z && blocks.x < 1u << 31 && blocks.y < 1u << 16 &&
                  blocks.z < 1u << 16 && threads && threads <= most,
              "CUDA error: invalid configuration argument");
  std::lock_guard<std::mutex> lock(one);
  std::vector<Span> in_order(spans);
  std::sort(in_order.begin(), in_order.end(),
            [](const Span &a, const Span &b) { return a.begin < b.begin; });
  allowed = &in_order;
  gridDim = {blocks.x, blocks.y, blocks.z}, blockDim = {threads, 1, 1};
  const Order how = order();
  const uint64_t n = uint64_t{blocks.x} * blocks.y * blocks.z;
  for (uint64_t i = 0; i < n; i++) {
    const uint64_t at = how == Order::ascending ? i : n - 1 - i;
    blockIdx = {static_cast<unsigned>(at % blocks.x),
                static_cast<unsigned>(at / blocks.x % blocks.y),
                static_cast<unsigned>(at / blocks.x / blocks.y)};
    block().run(threads, how, kernel);
  }
}

}  // namespace standin
