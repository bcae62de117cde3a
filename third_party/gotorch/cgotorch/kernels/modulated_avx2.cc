#include "modulated_loops.h"

extern const gt::ModulatedLoops gt::modulated_avx2 = {forward, backward};
