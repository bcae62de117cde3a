// A CPU allocator that keeps blocks: a training step asks for the same sizes
// again and again. Page faults of freshly mapped blocks are otherwise most of a
// large UNet's time, and malloc, which joins and parts what is freed and asked
// for, a tenth of a small one's.
//
// Requests are rounded up to one of eight sizes per power of two and served from
// a free list of that size (or of the next two). A header of 64 bytes lies before
// the data.
// What is kept stays below the most that has been in use, or 1 GiB, whichever
// is more.
#include "allocator.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <sstream>

#include "internal.h"

// Blocks that are kept count as freed for AddressSanitizer (sanitize.sh).
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)
#define ASAN_UNPOISON_MEMORY_REGION(p, n)
#endif

namespace gt {
namespace {

constexpr size_t kHeader = 64;
constexpr int kLeast = 7;          // the power of two that the smallest blocks have
constexpr size_t kHuge = 2 << 20;  // from here on: own mapping, huge pages
constexpr size_t kKeep = size_t{1} << 30;
constexpr int kClasses = 8 * 55;

struct Header {
  size_t bytes;  // of the block, header included
  int32_t size_class;
};
static_assert(sizeof(Header) <= kHeader);

int class_of(size_t n) {
  n = std::max(n, size_t{1} << kLeast);
  int top = 63 - __builtin_clzll(n);
  size_t eighth = size_t{1} << (top - 3);
  int part = static_cast<int>((n - (size_t{1} << top) + eighth - 1) / eighth);
  return (top - kLeast) * 8 + part;  // part 8 is the next power
}

size_t class_bytes(int c) {
  size_t base = size_t{1} << (kLeast + c / 8);
  return base + (base >> 3) * (c % 8);
}

class BlockCache final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t n) override {
    void *p = n ? take(n) : nullptr;
    return {p, p, &BlockCache::give_back, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &BlockCache::give_back; }
  void copy_data(void *dst, const void *src, size_t n) const override {
    default_copy_data(dst, src, n);
  }

  void release() {
    std::lock_guard<std::mutex> lock(mu_);
    release_locked();
  }

  void stats(gt_stats *s) {
    std::lock_guard<std::mutex> lock(mu_);
    s->bytes_used = static_cast<int64_t>(used_);
    s->bytes_peak = static_cast<int64_t>(peak_);
    s->bytes_cached = static_cast<int64_t>(cached_);
    s->block_hits = hits_;
    s->block_misses = misses_;
    s->faults = fault_at_ > 0 ? faults_ : 0;
  }
  void reset_peak() {
    std::lock_guard<std::mutex> lock(mu_);
    peak_ = used_;
  }
  void *in_use() { return &in_use_; }
  void limit(size_t bytes) {
    std::lock_guard<std::mutex> lock(mu_);
    limit_ = bytes;
  }
  void fault(int64_t n, int64_t count) {
    std::lock_guard<std::mutex> lock(mu_);
    fault_at_ = n;
    faults_ = count;
  }

 private:
  void *take(size_t n) {
    const int c = class_of(n + kHeader);
    const size_t bytes = class_bytes(c);
    std::lock_guard<std::mutex> lock(mu_);
    if (fault_at_ > 0 && --fault_at_ == 0 && faults_ > 0) {
      fault_at_ = --faults_ > 0 ? 1 : 0;
      refuse(n, "fault");
    }
    if (limit_ && used_ + bytes > limit_) refuse(n, "limit");
    void *base = nullptr;
    size_t got = bytes;
    int got_class = c;
    for (int k = c; k < c + 3 && k < kClasses && !base; k++) {
      if (free_[k].empty()) continue;
      base = free_[k].back();
      free_[k].pop_back();
      got_class = k;
      got = class_bytes(k);
      ASAN_UNPOISON_MEMORY_REGION(base, got);
      cached_ -= got;
      hits_++;
    }
    if (!base) {
      base = fresh(bytes);
      if (!base) {
        release_locked();
        base = fresh(bytes);
      }
      if (!base) refuse(n, "system");
      misses_++;
    }
    used_ += got;
    in_use_.store(static_cast<int64_t>(used_), std::memory_order_relaxed);
    if (used_ > peak_) peak_ = used_;
    auto *h = static_cast<Header *>(base);
    h->bytes = got;
    h->size_class = got_class;
    char *data = static_cast<char *>(base) + kHeader;
    ASAN_POISON_MEMORY_REGION(data + n, got - kHeader - n);
    return data;
  }

  static void give_back(void *p);

  void put(void *p) {
    void *base = static_cast<char *>(p) - kHeader;
    auto *h = static_cast<Header *>(base);
    std::lock_guard<std::mutex> lock(mu_);
    used_ -= h->bytes;
    in_use_.store(static_cast<int64_t>(used_), std::memory_order_relaxed);
    if (cached_ + h->bytes > std::max(kKeep, peak_)) {
      discard(base, h->bytes);
      return;
    }
    try {
      free_[h->size_class].push_back(base);
    } catch (const std::bad_alloc &) {  // no memory to note the block in
      discard(base, h->bytes);
      return;
    }
    cached_ += h->bytes;
    ASAN_POISON_MEMORY_REGION(base, h->bytes);
  }

  static void *fresh(size_t bytes) {
    if (bytes < kHuge) {
      void *p = nullptr;
      return posix_memalign(&p, 64, bytes) ? nullptr : p;
    }
    // Map two megabytes too many, so that the block can start on a boundary.
    size_t want = bytes + kHuge;
    char *raw = static_cast<char *>(
        mmap(nullptr, want, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (raw == MAP_FAILED) return nullptr;
    char *start = reinterpret_cast<char *>((reinterpret_cast<uintptr_t>(raw) + kHuge - 1) &
                                           ~(uintptr_t{kHuge} - 1));
    if (start > raw) munmap(raw, start - raw);
    size_t end = mapped(bytes);
    if (start + end < raw + want) munmap(start + end, raw + want - start - end);
    madvise(start, end, MADV_HUGEPAGE);
    return start;
  }

  static size_t mapped(size_t bytes) { return (bytes + 4095) & ~size_t{4095}; }

  static void discard(void *base, size_t bytes) {
    ASAN_UNPOISON_MEMORY_REGION(base, bytes);
    if (bytes < kHuge)
      std::free(base);
    else
      munmap(base, mapped(bytes));
  }

  void release_locked() {
    for (int c = 0; c < kClasses; c++) {
      for (void *base : free_[c]) discard(base, class_bytes(c));
      free_[c].clear();
    }
    cached_ = 0;
  }

  static std::string readable(size_t n) {
    if (n < (10 << 10)) return std::to_string(n) + " bytes";
    if (n < (10 << 20)) return std::to_string(n >> 10) + " KiB";
    return std::to_string(n >> 20) + " MiB";
  }

  [[noreturn]] void refuse(size_t n, const char *why) {
    std::ostringstream s;
    s << "CPU out of memory: " << readable(n) << " asked for, " << readable(used_) << " in use";
    if (*why == 'l') s << ", limit " << readable(limit_);
    if (*why == 'f') s << " (a fault asked for by a test)";
    C10_THROW_ERROR(OutOfMemoryError, s.str());
  }

  std::mutex mu_;
  std::array<std::vector<void *>, kClasses> free_;
  std::atomic<int64_t> in_use_{0};  // used_, for readers without the lock
  size_t used_ = 0, peak_ = 0, cached_ = 0, limit_ = 0;
  int64_t hits_ = 0, misses_ = 0;
  int64_t fault_at_ = 0, faults_ = 0;
};

BlockCache &cache() {
  static BlockCache *c = new BlockCache;  // never destroyed: tensors may outlive main
  return *c;
}

void BlockCache::give_back(void *p) {
  if (p) cache().put(p);
}

}  // namespace

void install_block_cache() { c10::SetCPUAllocator(&cache(), 10); }
void release_blocks() { cache().release(); }
void reset_peak() { cache().reset_peak(); }
void *bytes_used() { return cache().in_use(); }
static void must_be_installed() {
  TORCH_CHECK(c10::GetCPUAllocator() == &cache(),
              "libtorch's own CPU allocator is in use, as InitOptions.NoCache asked for, and it "
              "has neither limits nor faults");
}
void set_memory_limit(int64_t bytes) {
  must_be_installed();
  TORCH_CHECK(bytes >= 0, "a limit of ", bytes, " bytes makes no sense; 0 is none");
  cache().limit(static_cast<size_t>(bytes));
}
void fail_allocations(int64_t n, int64_t count) {
  must_be_installed();
  cache().fault(n, count);
}
void block_stats(gt_stats *s) { cache().stats(s); }

}  // namespace gt
