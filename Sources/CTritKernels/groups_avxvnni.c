// 2-bit weights with group scales on AVX-VNNI: vpdpbusd on ymm.
#if defined(__x86_64__)
#define TK_TARGET __attribute__((target("avx2,fma,f16c,avxvnni")))
#define TK_ENTRY tk_group_avxvnni
#define TK_VNNI 1
#include "groups_ymm_body.h"
#endif
