// A device that is none, to run on a processor what is meant for a GPU, and to see it do
// there what a GPU does not forgive.
//
// To libtorch it is one of the kind HPU, of which there are none here; the processor
// computes its every operation (operations.cpp). As on a GPU
//   - its memory is not the host's: who reads or writes it by its address is ended by
//     SIGSEGV (memory.cpp), and it has an end;
//   - gradients are computed on a thread of the device's own, autocast has the lists of
//     operations that it has for CUDA, and operands must be on one device;
//   - what makes the host wait for it is known, and can be forbidden;
//   - kernels of our own compute by the text that a GPU has them of (threads.h);
//   - a graph can be recorded, in which nothing is computed, and replayed (cuda.cpp). Waiting
//     while it is recorded, work on another stream, and random numbers of a generator
//     that was not registered fail, as they do there.
// Not as on a GPU: nothing happens later than it is asked for, so that a missing event
// or an early free is not found; and the numbers are the processor's.
//
// scripts/stand-in builds it, and test programs that open it in place of the CUDA part.
#ifndef CGOTORCH_STANDIN_H_
#define CGOTORCH_STANDIN_H_

#include <ATen/record_function.h>

#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "kernels/launcher.h"
#include "pch.h"

namespace standin {

constexpr auto kind = c10::DeviceType::HPU;
constexpr int devices = 2;

// ---- memory.cpp
struct Usage {
  int64_t used, peak, reserved, total;
};
Usage usage(int device);
void reset_peak(int device);
void forget_kept();  // empties what is kept for reuse
void install_memory();
bool is_page_locked(const void *p);
c10::Allocator *page_locked();
// Where the processor finds what a tensor of the device has at p.
void *real(const void *p);
bool is_there(const void *p);  // in the memory of a device
// Memory as the processor has it, as much as was asked for.
struct Span {
  const char *begin, *end;
};
// The memory in use that p is in, which stays so as long as holder is there.
struct Held {
  int device;
  Span span;
  std::shared_ptr<void> holder;
};
Held hold(const void *p);

// ---- kernels.cpp
gt::DeviceKernels *processor();  // runs them

// ---- operations.cpp
// Shows a profile what a GPU would be given to do, each piece by itself: "gpu::" and its name.
struct Launch {
  explicit Launch(const std::string &name) : record(at::RecordScope::FUNCTION) {
    if (record.isActive()) record.before("gpu::" + name);
  }
  at::RecordFunction record;
};

// Does work now or, while a graph is recorded, when it is replayed.
void work(const std::string &name, int device, std::function<void()> f);
void forbid_waits(bool on);
// Says that the host waits for the device, which may not be allowed now.
void waits(const std::string &why);

// ---- cuda.cpp
int current_device();
int set_device(int d);  // gives the one before
int64_t current_stream(int device);
int64_t set_stream(int device, int64_t id);  // gives the one before

// Work that is recorded in place of being done.
struct Tape {
  int64_t device, stream;
  bool broken = false;  // by what may not be recorded
  std::set<c10::GeneratorImpl *> generators;
  std::vector<std::function<void()>> work;
};
Tape *recording();  // nothing where none is

}  // namespace standin

#endif  // CGOTORCH_STANDIN_H_
