#include "stable_target_loops.h"

extern const gt::StableTargetLoop gt::stable_target_avx512bf16 = loop;
