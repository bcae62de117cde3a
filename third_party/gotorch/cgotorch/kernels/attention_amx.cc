#include "attention_loops.h"

extern const gt::AttentionLoops gt::attention_amx = {scratch, run<Forward>, run<Backward>};
