#include "winograd_loops.h"

extern const gt::WinogradLoops gt::winograd_avx2 = all;
