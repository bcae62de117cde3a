#include "thin_loops.h"

extern const gt::ThinLoops gt::thin_avx512 = {widen, narrow, weights};
