#include "attention_loops.h"

extern const gt::AttentionLoops gt::attention_base = {scratch, run<Forward>, run<Backward>};
