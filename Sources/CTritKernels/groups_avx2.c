// 2-bit weights with group scales on AVX2: vpmaddubsw into int16 sums.
#if defined(__x86_64__)
#define TK_TARGET __attribute__((target("avx2,fma,f16c")))
#define TK_ENTRY tk_group_avx2
#define TK_VNNI 0
#include "groups_ymm_body.h"
#endif
