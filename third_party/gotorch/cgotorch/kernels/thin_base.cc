#include "thin_loops.h"

extern const gt::ThinLoops gt::thin_base = {widen, narrow, weights};
