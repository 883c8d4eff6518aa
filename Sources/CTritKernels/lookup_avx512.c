// TL1 and TL2 by vpermw.
#if defined(__x86_64__)
#define TK_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define TK_TL1 tk_tl1_avx512
#define TK_TL2 tk_tl2_avx512
#define TK_VBMI 0
#include "lookup_zmm_body.h"
#endif
