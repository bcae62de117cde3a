// Memory that has an address, at which nothing may be read or written, and lies elsewhere.
#include <sys/mman.h>

#include <map>
#include <mutex>

#include "standin.h"

namespace standin {
namespace {

constexpr size_t total = size_t{6} << 30;  // bytes of a device
constexpr size_t least = 512;

struct Block {
  size_t size, asked;
  int holders;  // the tensor's storage, and graphs
};

struct Device {
  char *there = nullptr;  // as tensors have it: PROT_NONE
  char *here = nullptr;
  size_t end = 0;                              // what lies after was never used
  std::map<size_t, std::vector<size_t>> kept;  // offsets of free blocks, by size
  std::map<size_t, Block> blocks;              // those in use, by offset
  size_t used = 0, peak = 0;
};

std::mutex mutex;
Device device_of[devices];

char *reserve(int access) {
  void *p = mmap(nullptr, total, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  TORCH_CHECK(p != MAP_FAILED, "the stand-in finds no addresses");
  return static_cast<char *>(p);
}

Device *device_at(const void *p) {
  for (Device &d : device_of)
    if (d.there && p >= d.there && p < d.there + total) return &d;
  return nullptr;
}

void give_back(void *p) {
  if (!p) return;
  std::lock_guard<std::mutex> lock(mutex);
  Device &d = *device_at(p);
  size_t at = static_cast<char *>(p) - d.there, size = d.blocks.at(at).size;
  if (--d.blocks.at(at).holders) return;
  d.blocks.erase(at);
  d.used -= size;
  d.kept[size].push_back(at);
  std::memset(d.here + at, 0xff, size);  // NaN to whoever reads it still
}

struct Memory final : c10::Allocator {
  c10::DataPtr allocate(size_t n) override {
    const int index = current_device();
    const c10::Device where(kind, static_cast<c10::DeviceIndex>(index));
    if (!n) return {nullptr, nullptr, &give_back, where};
    std::lock_guard<std::mutex> lock(mutex);
    Device &d = device_of[index];
    if (!d.there) d.there = reserve(PROT_NONE), d.here = reserve(PROT_READ | PROT_WRITE);
    size_t size = least;
    while (size < n) size += size / 2 < least ? least : size / 2 / least * least;
    size_t at = d.end;
    if (auto &free = d.kept[size]; !free.empty())
      at = free.back(), free.pop_back();
    else if (n > total || d.end + size > total)
      C10_THROW_ERROR(OutOfMemoryError, "CUDA out of memory. Tried to allocate " +
                                            std::to_string(n >> 20) + " MiB (of a stand-in)");
    else
      d.end += size;
    d.blocks[at] = {size, n, 1};
    d.used += size;
    d.peak = std::max(d.peak, d.used);
    std::memset(d.here + at, 0xff, size);
    return {d.there + at, d.there + at, &give_back, where};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &give_back; }
  void copy_data(void *to, const void *from, size_t n) const override {
    std::memcpy(real(to), real(from), n);
  }
};

std::set<const void *> locked;

void unlock(void *p) {
  {
    std::lock_guard<std::mutex> guard(mutex);
    locked.erase(p);
  }
  std::free(p);
}

struct PageLocked final : c10::Allocator {
  c10::DataPtr allocate(size_t n) override {
    void *p = n ? std::aligned_alloc(64, (n + 63) / 64 * 64) : nullptr;
    std::lock_guard<std::mutex> guard(mutex);
    if (p) locked.insert(p);
    return {p, p, &unlock, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &unlock; }
  void copy_data(void *to, const void *from, size_t n) const override {
    default_copy_data(to, from, n);
  }
};

}  // namespace

Usage usage(int device) {
  std::lock_guard<std::mutex> lock(mutex);
  const Device &d = device_of[device];
  return {static_cast<int64_t>(d.used), static_cast<int64_t>(d.peak), static_cast<int64_t>(d.end),
          static_cast<int64_t>(total)};
}

void reset_peak(int device) {
  std::lock_guard<std::mutex> lock(mutex);
  device_of[device].peak = device_of[device].used;
}

// Where nothing is in use, memory begins anew.
void forget_kept() {
  std::lock_guard<std::mutex> lock(mutex);
  for (Device &d : device_of) {
    d.kept.clear();
    size_t end = 0;
    for (const auto &[at, block] : d.blocks) {
      if (at > end) d.kept[at - end].push_back(end);
      end = at + block.size;
    }
    d.end = end;
  }
}

bool is_there(const void *p) { return device_at(p); }

void *real(const void *p) {
  if (const Device *d = device_at(p)) return d->here + (static_cast<const char *>(p) - d->there);
  TORCH_CHECK(!p, "that is no memory of the stand-in");
  return nullptr;
}

Held hold(const void *p) {
  std::lock_guard<std::mutex> lock(mutex);
  Device &d = *device_at(p);
  const size_t at = static_cast<const char *>(p) - d.there;
  auto found = d.blocks.upper_bound(at);
  TORCH_CHECK(
      found != d.blocks.begin() && at < std::prev(found)->first + std::prev(found)->second.size,
      "that memory of the stand-in is not in use");
  auto &[begin, block] = *--found;
  block.holders++;
  return {static_cast<int>(&d - device_of),
          {d.here + begin, d.here + begin + block.asked},
          {d.there + begin, give_back}};
}

bool is_page_locked(const void *p) {
  std::lock_guard<std::mutex> lock(mutex);
  return locked.count(p) > 0;
}

c10::Allocator *page_locked() {
  static auto *a = new PageLocked;
  return a;
}

void install_memory() {
  static auto *m = new Memory;
  c10::SetAllocator(kind, m);
}

}  // namespace standin
