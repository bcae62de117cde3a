#include "bias_silu_loops.h"

extern const gt::BiasSiluLoops gt::bias_silu_base = {forward, backward};
