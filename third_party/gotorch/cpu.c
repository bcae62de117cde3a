// What cpu.go measures.
#include "cpu.h"

#include <time.h>

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return 1000000000 * (int64_t)t.tv_sec + t.tv_nsec;
}

// 14 sums, more than any processor has begun at once, of products of two zeros.
#define EACH(OP)                                                         \
  OP " %%zmm14, %%zmm15, %%zmm0\n" OP " %%zmm14, %%zmm15, %%zmm1\n" OP   \
     " %%zmm14, %%zmm15, %%zmm2\n" OP " %%zmm14, %%zmm15, %%zmm3\n" OP   \
     " %%zmm14, %%zmm15, %%zmm4\n" OP " %%zmm14, %%zmm15, %%zmm5\n" OP   \
     " %%zmm14, %%zmm15, %%zmm6\n" OP " %%zmm14, %%zmm15, %%zmm7\n" OP   \
     " %%zmm14, %%zmm15, %%zmm8\n" OP " %%zmm14, %%zmm15, %%zmm9\n" OP   \
     " %%zmm14, %%zmm15, %%zmm10\n" OP " %%zmm14, %%zmm15, %%zmm11\n" OP \
     " %%zmm14, %%zmm15, %%zmm12\n" OP " %%zmm14, %%zmm15, %%zmm13\n"
#define CLEAR(N) "vpxor %%xmm" #N ", %%xmm" #N ", %%xmm" #N "\n"
#define RUN(OP, TIMES) \
  __asm__ volatile(CLEAR(0) CLEAR(1) CLEAR(2) CLEAR(3) CLEAR(4) CLEAR(5) CLEAR(6)       \
                       CLEAR(7) CLEAR(8) CLEAR(9) CLEAR(10) CLEAR(11) CLEAR(12)         \
                           CLEAR(13) CLEAR(14) CLEAR(15) "1:\n" EACH(OP)                \
                   "dec %0\n"                                                           \
                   "jnz 1b\n"                                                           \
                   "vzeroupper\n"                                                       \
                   : "+r"(TIMES)                                                        \
                   :                                                                    \
                   : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",      \
                     "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",        \
                     "xmm14", "xmm15")

double gt_bf16_gain(void) {
  int64_t best[2] = {INT64_MAX, INT64_MAX};
  // By turns, the fastest of each: other programs and a clock that is rising disturb some.
  for (int turn = 0; turn < 64; turn++) {
    int64_t times = 500, start = now();
    if (turn % 2)
      RUN("vdpbf16ps", times);
    else
      RUN("vfmadd231ps", times);
    int64_t taken = now() - start;
    if (taken < best[turn % 2]) best[turn % 2] = taken;
  }
  return 2.0 * (double)best[0] / (double)best[1];  // a number has twice as many of bf16
}
