// 2-bit weights on AVX-VNNI: vpdpbusd on ymm sums four products straight into int32.
#if defined(__x86_64__)
#define TK_TARGET __attribute__((target("avx2,fma,avxvnni")))
#define TK_ENTRY tk_i2s_avxvnni
#define TK_VNNI 1
#include "i2s_ymm_body.h"
#endif
