#include "tiled_linear_loops.h"

extern const gt::TiledLinearLoops gt::tiled_linear_amx = {
    pack_forward, pack_backward, forward, slopes, inputs, weights, total};
