#include "groupnorm_loops.h"

extern const gt::GroupNormLoops gt::group_norm_avx2 = {forward, backward};
