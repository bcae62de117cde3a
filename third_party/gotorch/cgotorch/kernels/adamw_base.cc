#include "adamw_loops.h"

extern const gt::AdamWLoops gt::adamw_base = {step, round, sum, squares};
