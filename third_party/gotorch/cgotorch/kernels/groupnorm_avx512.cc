#include "groupnorm_loops.h"

extern const gt::GroupNormLoops gt::group_norm_avx512 = {forward, backward};
