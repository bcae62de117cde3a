// The CPU allocator: large blocks are kept for reuse. See allocator.cc.
#ifndef CGOTORCH_ALLOCATOR_H_
#define CGOTORCH_ALLOCATOR_H_

#include "types.h"

namespace gt {
void install_block_cache();
void release_blocks();
void reset_peak();
void *bytes_used();                               // a counter to read atomically
void set_memory_limit(int64_t bytes);             // 0: none
void fail_allocations(int64_t n, int64_t count);  // the n-th from now and those after it
void block_stats(gt_stats *s);
}  // namespace gt

#endif  // CGOTORCH_ALLOCATOR_H_
