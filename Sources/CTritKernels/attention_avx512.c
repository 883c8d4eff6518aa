// The attention leaves for AVX-512 F.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma"))), apply_to = function)
#define TK_ATTENTION_TABLE tk_attention_avx512
#include "attention_body.h"
#pragma clang attribute pop
#endif
