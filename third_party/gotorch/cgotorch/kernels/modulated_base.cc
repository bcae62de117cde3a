#include "modulated_loops.h"

extern const gt::ModulatedLoops gt::modulated_base = {forward, backward};
