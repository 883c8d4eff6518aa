// The attention tile leaves for AVX2, FMA and F16C: 6 rows of two ymm, 12 of 16 registers.
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define TK_TILE_TABLE tk_attention_tile_avx2
#define TK_TILE_ROWS 6
#define TK_TILE_VECTORS 1
typedef float tk_f16c_16 __attribute__((vector_size(64)));
static inline __attribute__((always_inline)) tk_f16c_16 tk_f16c(const void *p) {
  union {
    __m256 half[2];
    tk_f16c_16 whole;
  } x;
  x.half[0] = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
  x.half[1] = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p + 1));
  return x.whole;
}
#define TK_LOAD_F16(p) tk_f16c(p)
#include "attention_tile_body.h"
#pragma clang attribute pop
#endif
