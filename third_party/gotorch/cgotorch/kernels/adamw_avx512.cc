#include "adamw_loops.h"

extern const gt::AdamWLoops gt::adamw_avx512 = {step, round, sum, squares};
