#include "groupnorm_loops.h"

extern const gt::GroupNormLoops gt::group_norm_base = {forward, backward};
