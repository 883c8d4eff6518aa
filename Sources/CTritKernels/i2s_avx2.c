// 2-bit weights on AVX2: vpmaddubsw into int16 sums, widened before they could overflow.
#if defined(__x86_64__)
#define TK_TARGET __attribute__((target("avx2,fma")))
#define TK_ENTRY tk_i2s_avx2
#define TK_VNNI 0
#include "i2s_ymm_body.h"
#endif
