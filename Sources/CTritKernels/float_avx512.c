// The float leaves for AVX-512 (F, BW, DQ, VL).
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c"))), apply_to = function)
#define TK_AVX512
#define TK_HARDWARE_F16
#define TK_HEAD_SUMS 4
#define TK_HEAD_TOKENS 4
#define TK_FLOAT_TABLE tk_float_avx512
#include "float_body.h"
#pragma clang attribute pop
#endif
