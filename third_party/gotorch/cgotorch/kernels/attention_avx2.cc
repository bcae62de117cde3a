#include "attention_loops.h"

extern const gt::AttentionLoops gt::attention_avx2 = {scratch, run<Forward>, run<Backward>};
