#include "modulated_loops.h"

extern const gt::ModulatedLoops gt::modulated_avx512bf16 = {forward, backward};
