// What products with panels on zmm end in; included by their kernels. They define
//   TK_TARGET  the function attribute.
#include <immintrin.h>

#include "tk_i2s.h"

#define TK_INLINE static inline __attribute__((always_inline)) TK_TARGET

/// Stores the sums of 16 rows of one token, of which `mask` exist, scaled or as they are.
TK_INLINE void store(const tk_panel_product *p, size_t row, size_t token, __m512i sums,
                     __mmask16 mask) {
  sums = _mm512_sub_epi32(sums, _mm512_set1_epi32(p->sums[token]));
  size_t at = token * p->y_stride + row;
  if (p->y) {
    __m512 scale = _mm512_mul_ps(_mm512_loadu_ps(p->row_scales + row),
                                 _mm512_set1_ps(p->token_scales[token]));
    _mm512_mask_storeu_ps(p->y + at, mask, _mm512_mul_ps(_mm512_cvtepi32_ps(sums), scale));
  } else {
    _mm512_mask_storeu_epi32(p->accumulators + at, mask, sums);
  }
}

TK_INLINE __mmask16 rows_mask(size_t rows, size_t row) {
  size_t left = rows > row ? rows - row : 0;
  return left >= 16 ? 0xFFFF : (__mmask16)((1u << left) - 1);
}
