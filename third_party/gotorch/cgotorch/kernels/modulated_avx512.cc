#include "modulated_loops.h"

extern const gt::ModulatedLoops gt::modulated_avx512 = {forward, backward};
