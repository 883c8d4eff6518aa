// The float leaves for AVX2, FMA and F16C.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define TK_HARDWARE_F16
#define TK_HEAD_SUMS 2
#define TK_FLOAT_TABLE tk_float_avx2
#include "float_body.h"
#pragma clang attribute pop
#endif
