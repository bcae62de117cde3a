#ifndef GOTORCH_CPU_H_
#define GOTORCH_CPU_H_

#include <stdint.h>

// Only for processors that have AVX-512 with bf16; takes a quarter of a millisecond.
double gt_bf16_gain(void);

#endif  // GOTORCH_CPU_H_
