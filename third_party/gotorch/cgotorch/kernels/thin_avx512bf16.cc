#include "thin_loops.h"

extern const gt::ThinLoops gt::thin_avx512bf16 = {widen, narrow, weights};
