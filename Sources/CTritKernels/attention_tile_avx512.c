// The attention tile leaves for AVX-512 F: 6 rows of four zmm, 24 of 32 registers.
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma,f16c"))), apply_to = function)
#define TK_TILE_TABLE tk_attention_tile_avx512
#define TK_TILE_ROWS 6
#define TK_TILE_VECTORS 4
#define TK_LOAD_F16(p) ((tk_v16)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(p))))
#include "attention_tile_body.h"
#pragma clang attribute pop
#endif
