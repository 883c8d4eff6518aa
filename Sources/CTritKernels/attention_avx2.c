// The attention leaves for AVX2 and FMA.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define TK_ATTENTION_TABLE tk_attention_avx2
#include "attention_body.h"
#pragma clang attribute pop
#endif
