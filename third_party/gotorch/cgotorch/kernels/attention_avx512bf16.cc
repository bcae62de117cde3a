#include "attention_loops.h"

extern const gt::AttentionLoops gt::attention_avx512bf16 = {scratch, run<Forward>, run<Backward>};
