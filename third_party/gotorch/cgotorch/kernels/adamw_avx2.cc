#include "adamw_loops.h"

extern const gt::AdamWLoops gt::adamw_avx2 = {step, round, sum, squares};
