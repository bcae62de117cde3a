#include "thin_loops.h"

extern const gt::ThinLoops gt::thin_avx2 = {widen, narrow, weights};
