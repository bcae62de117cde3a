#include "attention_loops.h"
#include "attention_tiles.h"

extern const gt::AttentionLoops gt::attention_amx = {
    scratch_of_either, run_either<Forward, TiledForward>, run_either<Backward, TiledBackward>};
